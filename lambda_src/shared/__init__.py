"""What both functions need: settings, orders, the AWS client, telemetry."""
