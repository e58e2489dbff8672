"""The version, on the lowest floor, so that every part may say which one it is."""

VERSION = "0.1.0"
