"""The contract: generated from the .proto files beside each module."""
