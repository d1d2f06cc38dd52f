"""Configuration: YAML in, frozen dataclasses out, validated once at the edge."""
