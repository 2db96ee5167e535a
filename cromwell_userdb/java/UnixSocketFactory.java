import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.SocketChannel;
import javax.net.SocketFactory;

/**
 * Sockets to the one database server of an instance, for a JDBC driver that knows only TCP.
 *
 * <p>The URL says {@code socketFactory=UnixSocketFactory}, the system property {@code
 * cromwell.userdb.socket} the path; the host and port that the driver asks for are ignored.
 */
public final class UnixSocketFactory extends SocketFactory {
    private static final String PROPERTY = "cromwell.userdb.socket";
    private static final int PATIENCE_MILLIS = 30_000;

    public UnixSocketFactory() {}

    @Override
    public Socket createSocket() throws IOException {
        String path = System.getProperty(PROPERTY);
        if (path == null) {
            throw new SocketException("no socket is named: start java with -D" + PROPERTY + "=PATH");
        }
        return new UnixSocket(UnixDomainSocketAddress.of(path));
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        Socket socket = createSocket();
        socket.connect(null, PATIENCE_MILLIS);
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress from, int fromPort)
            throws IOException {
        return createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket("", port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort)
            throws IOException {
        return createSocket("", port);
    }

    private static final class UnixSocket extends Socket {
        private final UnixDomainSocketAddress server;
        private final SocketChannel channel;

        UnixSocket(UnixDomainSocketAddress server) throws IOException {
            super((SocketImpl) null);
            this.server = server;
            this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        }

        @Override
        public void connect(SocketAddress ignored) throws IOException {
            connect(ignored, PATIENCE_MILLIS);
        }

        /** Waits while the server's queue is full, at most {@code millis}; 0 is for ever, as in Socket. */
        @Override
        public void connect(SocketAddress ignored, int millis) throws IOException {
            Thread closer = millis > 0 ? closeAfter(millis) : null;
            try {
                channel.connect(server);
            } catch (AsynchronousCloseException late) {
                throw new SocketTimeoutException(
                        "no answer in " + millis + " ms from the database at " + server);
            } catch (IOException error) {
                channel.close();
                throw new SocketException(
                        "no database answers at " + server + ": " + error.getMessage());
            } finally {
                if (closer != null) {
                    closer.interrupt();
                }
            }
        }

        private Thread closeAfter(int millis) {
            Thread closer = new Thread(() -> {
                try {
                    Thread.sleep(millis);
                    if (!channel.isConnected()) {
                        channel.close();
                    }
                } catch (InterruptedException connected) {
                    // The usual end: connect came back in time.
                } catch (IOException closing) {
                    // Closed by somebody else: connect ends all the same.
                }
            }, "connect deadline");
            closer.setDaemon(true);
            closer.start();
            return closer;
        }

        // Streams of our own: those of java.nio.channels.Channels share one lock, so that a
        // thread that waits for an answer would keep the others from writing.
        @Override
        public InputStream getInputStream() {
            return new InputStream() {
                @Override
                public int read() throws IOException {
                    byte[] one = new byte[1];
                    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
                }

                @Override
                public int read(byte[] bytes, int offset, int length) throws IOException {
                    return length == 0 ? 0 : channel.read(ByteBuffer.wrap(bytes, offset, length));
                }

                @Override
                public void close() throws IOException {
                    channel.close();
                }
            };
        }

        @Override
        public OutputStream getOutputStream() {
            return new OutputStream() {
                @Override
                public void write(int one) throws IOException {
                    write(new byte[] {(byte) one}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
                    while (rest.hasRemaining()) {
                        channel.write(rest);
                    }
                }

                @Override
                public void close() throws IOException {
                    channel.close();
                }
            };
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }

        @Override
        public void shutdownInput() throws IOException {
            channel.shutdownInput();
        }

        @Override
        public void shutdownOutput() throws IOException {
            channel.shutdownOutput();
        }

        @Override
        public boolean isConnected() {
            return channel.isConnected();
        }

        @Override
        public boolean isBound() {
            return channel.isConnected();
        }

        @Override
        public boolean isClosed() {
            return !channel.isOpen();
        }

        @Override
        public SocketAddress getRemoteSocketAddress() {
            return channel.isConnected() ? server : null;
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return null;
        }

        @Override
        public InetAddress getInetAddress() {
            return null;
        }

        @Override
        public InetAddress getLocalAddress() {
            return InetAddress.getLoopbackAddress();
        }

        @Override
        public int getPort() {
            return 0;
        }

        @Override
        public int getLocalPort() {
            return -1;
        }

        @Override
        public SocketChannel getChannel() {
            return channel;
        }

        @Override
        public String toString() {
            return "UnixSocket[" + server + "]";
        }

        // What TCP can be told: a Unix socket has none of it. A server that has gone closes its
        // end, so reading needs no deadline of its own.
        @Override
        public void setSoTimeout(int millis) {}

        @Override
        public int getSoTimeout() {
            return 0;
        }

        @Override
        public void setTcpNoDelay(boolean on) {}

        @Override
        public boolean getTcpNoDelay() {
            return true;
        }

        @Override
        public void setKeepAlive(boolean on) {}

        @Override
        public boolean getKeepAlive() {
            return true;
        }

        @Override
        public void setReuseAddress(boolean on) {}

        @Override
        public void setSoLinger(boolean on, int seconds) {}

        @Override
        public void setTrafficClass(int trafficClass) {}

        @Override
        public void setSendBufferSize(int bytes) {}

        @Override
        public void setReceiveBufferSize(int bytes) {}
    }
}
