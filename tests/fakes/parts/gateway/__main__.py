from tests.fakes.parts.service import main

main("gateway")
