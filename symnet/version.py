"""The version of symnet.  In: nothing.  Out: `VERSION`."""

VERSION = "0.1.0"
