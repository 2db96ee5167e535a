.PHONY: jar

JAVA_SOURCES = cromwell_userdb/java

# The same bytes from the same javac: no manifest, nothing compressed, one date for all.
jar:
	rm -rf build/java && mkdir -p build/java
	javac --release 16 -g:none -Xlint:all -d build/java $(JAVA_SOURCES)/UnixSocketFactory.java
	cd build/java && TZ=UTC jar --create --file cromwell-userdb.jar --no-manifest --no-compress \
	    --date 2026-01-01T00:00:00+00:00 $$(LC_ALL=C ls | grep 'class$$')
	mv build/java/cromwell-userdb.jar $(JAVA_SOURCES)/cromwell-userdb.jar
