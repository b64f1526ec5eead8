"""The alert rules and the configuration, as promtool sees them."""

from watching import EXAMPLES, checked


def scenario_every_alert_fires_when_it_should_and_not_before():
    assert "SUCCESS" in checked("promtool", "test", "rules", str(EXAMPLES / "alerts_test.yml"))


def scenario_the_configuration_is_one_that_prometheus_takes():
    assert "5 rules found" in checked("promtool", "check", "config", str(EXAMPLES / "prometheus.yml"))
