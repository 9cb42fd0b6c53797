"""Values of options from a TOML file: `--config FILE`, before or after the command."""

from featkit_cli.configuration.options import at_root, takes_config, unconfigured

__all__ = ["at_root", "takes_config", "unconfigured"]
