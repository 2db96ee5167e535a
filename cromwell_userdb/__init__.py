"""A private MariaDB for every user's Cromwell on SLURM, without root."""

__version__ = "0.1.0"
