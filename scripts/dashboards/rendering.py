"""Grafana's JSON of a dashboard, by Grafana's own builders (grafana-foundation-sdk, for development only).

Every panel and every variable takes its data source from the variable `datasource`: whatever the data source is called
where the dashboard is provisioned, and however many there are, a person chooses one and nothing has to be edited.
"""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import (
    common as common_builder,
)
from grafana_foundation_sdk.builders import (
    dashboard as dashboard_builder,
)
from grafana_foundation_sdk.builders import (
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.charts import Chart, Dashboard, Query, Shape, Unit, Variable

Panel = stat.Panel | timeseries.Panel | table.Panel | statetimeline.Panel

DATASOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG: Final = "whatsapp-session-operator"
GOOD, BAD = "green", "red"
_HEIGHTS: Final = {Shape.FIGURE: 4, Shape.NAME: 4}
_INSTANT: Final = (Shape.FIGURE, Shape.NAME, Shape.TABLE)
_SESSION_LINK: Final = (
    "/d/whatsapp-session?${datasource:queryparam}"
    "&var-session_namespace=${__data.fields.session_namespace}&var-session=${__data.fields.session}"
)


def rendered(dashboard: Dashboard) -> str:
    """Return the JSON of a dashboard."""
    builder = (
        dashboard_builder.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard_builder.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(
            dashboard_builder.DashboardLink("WhatsApp sessions")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(as_dropdown=True)
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
    )
    for variable in dashboard.variables:
        builder = builder.with_variable(_variable(variable))
    for section in dashboard.sections:
        builder = builder.with_row(dashboard_builder.Row(section.title).datasource(DATASOURCE))
        for chart in section.charts:
            builder = builder.with_panel(_panel(chart))
    return _numbered(json.loads(JSONEncoder(sort_keys=True).encode(builder.build())))


def _numbered(found: dict[str, Any]) -> str:
    """Return the text, with a number for each panel: Grafana would give them new ones at every start."""
    for number, panel in enumerate(found["panels"], start=1):
        panel["id"] = number
    return json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _variable(variable: Variable) -> dashboard_builder.QueryVariable:
    builder = (
        dashboard_builder.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query(f"label_values({variable.series}, {variable.name})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    if not variable.several:
        return builder
    everything = model.VariableOption(text="All", value="$__all", selected=True)
    return builder.multi(multi=True).include_all(include_all=True).all_value(".*").current(everything)


def _panel(chart: Chart) -> Panel:
    builder = _shaped(chart)
    builder = (
        builder.title(chart.title)
        .description(chart.description)
        .datasource(DATASOURCE)
        .unit(chart.unit)
        .no_value(chart.empty)
        .thresholds(_thresholds(chart))
        .height(_HEIGHTS.get(chart.shape, 8))
        .span(chart.width)
    )
    for number, query in enumerate(chart.queries):
        builder = builder.with_target(_target(chart, query, chr(ord("A") + number)))
    return builder


def _shaped(chart: Chart) -> Panel:
    match chart.shape:
        case Shape.FIGURE:
            return stat.Panel().color_mode(common.BigValueColorMode.VALUE).graph_mode(common.BigValueGraphMode.NONE)
        case Shape.NAME:
            return stat.Panel().text_mode(common.BigValueTextMode.NAME).graph_mode(common.BigValueGraphMode.NONE)
        case Shape.TABLE:
            return _table(chart)
        case Shape.TIMELINE:
            return statetimeline.Panel().show_value(common.VisibilityMode.NEVER)
        case Shape.LINES:
            return timeseries.Panel().min(0)
        case Shape.AREAS:
            stacking = common_builder.StackingConfig().mode(common.StackingMode.NORMAL)
            return timeseries.Panel().min(0).fill_opacity(40).line_width(0).stacking(stacking)


def _table(chart: Chart) -> table.Panel:
    names = {"Value": "For" if chart.unit is Unit.SECONDS else "Value"}
    options = {"excludeByName": dict.fromkeys(chart.hides, True), "renameByName": names}
    builder = (
        table.Panel()
        .show_header(show_header=True)
        .with_transformation(model.DataTransformerConfig(id_val="organize", options=options))
    )
    if chart.links_to_session:
        link = dashboard_builder.DashboardLink("The session").url(_SESSION_LINK)
        builder = builder.data_links([link])
    return builder


def _target(chart: Chart, query: Query, ref_id: str) -> prometheus.Dataquery:
    builder = prometheus.Dataquery().ref_id(ref_id).expr(query.expr).datasource(DATASOURCE)
    if query.legend:
        builder = builder.legend_format(query.legend)
    builder = builder.instant() if chart.shape in _INSTANT else builder.range()
    return builder.format(PromQueryFormat.TABLE) if chart.shape is Shape.TABLE else builder


def _thresholds(chart: Chart) -> dashboard_builder.ThresholdsConfig:
    """Return the colours: of most panels one alone."""
    steps = [model.Threshold(value=None, color=GOOD)]
    if chart.bad_from is not None:
        steps.append(model.Threshold(value=chart.bad_from, color=BAD))
    if chart.bad_below is not None:
        steps = [model.Threshold(value=None, color=BAD), model.Threshold(value=chart.bad_below, color=GOOD)]
    return dashboard_builder.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)
