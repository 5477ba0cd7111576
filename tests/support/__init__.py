"""What several levels of tests share: servers, clocks, personas."""
