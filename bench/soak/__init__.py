"""Replicas under mixed load, killed at random: at the end every one equals the database."""
