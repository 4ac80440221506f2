import sys

from async_ingest.main import main

sys.exit(main())
