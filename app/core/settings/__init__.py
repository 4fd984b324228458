"""The settings by what they are about; `core/config.py` puts them together."""
