"""First code of the frozen application: children (a browser, a sound player) must not load the bundled libraries."""

from desktop.platform_check import restore_library_path

restore_library_path()
