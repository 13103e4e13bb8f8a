"""The client library and the `marquee` command."""
