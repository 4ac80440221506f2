"""What both functions share: settings, orders, the AWS client, telemetry."""
