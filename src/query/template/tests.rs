//! Templates compared with Jinja's own answers (`tests/golden/template/`), the macros, and the sandbox.

use chrono::NaiveDateTime;
use serde_json::json;

use super::*;

fn context(form_data: Value) -> TemplateContext {
    let now: NaiveDateTime = "2026-11-20T21:51:39".parse().unwrap();
    let engine = infra::engine_specs::spec("sqlite", None);
    TemplateContext {
        form_data: form_data.as_object().cloned().unwrap(),
        user: Some(TemplateUser { id: Some(7), username: "ada".into(), email: "ada@example.org".into() }),
        roles: vec!["Gamma".into(), "Alpha".into()],
        ..TemplateContext::new(engine, now)
    }
}

fn render(text: &str) -> Result<String> {
    Processor::new(context(json!({}))).render(text)
}

#[test]
fn templates_render_as_jinja_renders_them() {
    let mut lines = include_str!("../../../tests/golden/template/templates.jsonl").lines();
    let variables: Map<String, Value> = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut total = 0;
    for line in lines {
        total += 1;
        let row: Vec<Value> = serde_json::from_str(line).unwrap();
        let text = row[0].as_str().unwrap();
        let mut context = context(json!({}));
        context.variables = variables.clone();
        let got = Processor::new(context).render(text);
        let same = match (&got, &row[1]) {
            (Ok(out), Value::String(expected)) => out == expected,
            (Err(QueryError::Answer(error)), Value::Object(expected)) => {
                // Jinja's words for syntax errors.
                error.to_string().ends_with(expected["message"].as_str().unwrap())
            }
            (Err(QueryError::Validation(message)), Value::Object(expected)) => {
                expected["message"] == *message
            }
            // What is wrong in Python's own words only has to be wrong here.
            (Err(QueryError::Generic(_)), Value::Object(_)) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!("{text}\n    expected {}\n    got      {got:?}", row[1]));
        }
    }
    assert!(wrong.is_empty(), "{} of {total} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_user_becomes_part_of_the_cache_key() {
    let processor = Processor::new(context(json!({})));
    let text = "{{ current_user_id() }} {{ current_username() }} {{ current_user_email(False) }} \
         {{ current_user_roles() }}";
    assert_eq!(processor.render(text).unwrap(), "7 ada ada@example.org ['Alpha', 'Gamma']");
    assert_eq!(processor.extra_cache_keys(), [json!(7), json!("ada"), json!("[\"Alpha\", \"Gamma\"]")]);
    assert_eq!(render("{{ current_user_rls_rules() }}").unwrap(), "None");
}

#[test]
fn filters_are_read_and_taken_over() {
    let form = json!({
        "filters": [{"col": "g", "op": "IN", "val": ["x", "y"]}, {"col": "n", "op": "==", "val": 5}],
        "adhoc_filters": [],
        "url_params": {"p": "o'clock"},
    });
    let processor = Processor::new(context(form));
    let text = "{{ filter_values('g')|where_in }} {{ get_filters('n', remove_filter=True) }} \
         {{ filter_values('z', 'none') }} {{ url_param('p') }} {{ url_param('q') }}";
    assert_eq!(
        processor.render(text).unwrap(),
        "('x', 'y') [{'op': '==', 'col': 'n', 'val': 5}] ['none'] o''clock None"
    );
    assert_eq!(processor.applied_filters(), ["g", "n"]);
    assert_eq!(processor.removed_filters(), ["n"]);
}

#[test]
fn time_filters() {
    let form = json!({"adhoc_filters": [
        {"expressionType": "SIMPLE", "clause": "WHERE", "operator": "TEMPORAL_RANGE", "subject": "ds",
            "comparator": "2020-01-01 : 2021-01-01"}
    ]});
    let processor = Processor::new(context(form));
    let text = "{{ get_time_filter('ds', strftime='%Y-%m').from_expr }} \
         {{ get_time_filter('ds', target_type='TEXT').to_expr }} \
         {{ get_time_filter('x', default='Last week', strftime='%d').to_expr }}";
    assert_eq!(processor.render(text).unwrap(), "2020-01 '2021-01-01 00:00:00' 20");
    assert_eq!(processor.applied_filters(), ["ds"]);
}

#[test]
fn datasets_and_metrics_come_from_outside() {
    let mut context = context(json!({}));
    context.dataset_sql =
        Some(Arc::new(|request| Ok(format!("SELECT {} {:?}", request.id, request.columns))));
    context.metric_sql = Some(Arc::new(|key, id| match key {
        "m" => Ok(format!("SUM({})", id.unwrap_or(0))),
        "loop" => Ok("{{ metric('loop') }}".into()),
        _ => Err(format!("Metric ``{key}`` not found in t.")),
    }));
    let processor = Processor::new(context);
    assert_eq!(
        processor.render("{{ dataset(3, columns=['a']) }}").unwrap(),
        "(\nSELECT 3 [\"a\"]\n) AS dataset_3"
    );
    assert_eq!(processor.render("{{ metric('m', 4) }}").unwrap(), "SUM(4)");
    assert!(
        matches!(processor.render("{{ metric('z') }}"), Err(QueryError::Generic(m)) if m.contains("not found"))
    );
    assert!(processor.render("{{ metric('loop') }}").is_err());
}

#[test]
fn hostile_templates_are_stopped() {
    for text in [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 'a'.rjust(9999999999) }}",
        "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
        "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('ab') }}",
        "{% set l = [1] %}{% for i in range(99) %}{% set _ = l.extend(l) %}{% endfor %}",
        "{% set d = {} %}{% set _ = d.update(x=d) %}{{ d == d }}{{ d }}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a, ns.a] %}\
         {% endfor %}{{ (ns.a|string|length) * 'x' * 1000 }}",
        "{% set ns = namespace(a=1) %}{% for i in range(90000) %}{% set ns.a = [ns.a] %}{% endfor %}",
        "{% set l = [] %}{% for i in range(20000) %}{% set _ = l.append(l) %}{% endfor %}{{ l == l }}",
        "{{ '%999999999d' % 1 }}",
        "{{ ('%' ~ '9' * 9 ~ 's')|format('x') * 100000000 }}",
    ] {
        let started = std::time::Instant::now();
        let result = render(text);
        assert!(started.elapsed().as_secs() < 20, "{text}");
        assert!(result.map_or(true, |out| out.len() < 1_000), "{text}");
    }
    assert!(render(&format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000))).is_err());
    assert!(render(&"{% if 1 %}".repeat(10_000)).is_err());
    assert!(render(&format!("{{{{ x{} }}}}", "|list".repeat(100_000))).is_err());
    assert!(render(&format!("{{{{ 1{} }}}}", "+1".repeat(100_000))).is_err());
    assert!(render(&format!("{{{{ {}1 }}}}", "-".repeat(100_000))).is_err());
    for text in [
        "{{ ''.__class__.__mro__ }}",
        "{{ url_param.func }}",
        "{{ [].__getattribute__('x') }}",
        "{{ x.__globals__ }}",
    ] {
        assert!(render(text).map_or(true, |out| out.contains("{{")), "{text}");
    }
}

#[test]
fn no_input_panics() {
    let words = [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "if",
        "for",
        "in",
        "set",
        "x",
        "=",
        "'",
        "\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        ".",
        ",",
        ":",
        "-",
        "1",
        "1.5",
        "~",
        "endif",
        "endfor",
        "else",
        "raw",
        "endraw",
        "é",
        "\\",
        "\n",
        "is",
        "not",
        "range",
        "loop",
        "macro",
        "call",
        "join",
        "first",
        "9999999999999",
        "**",
        "//",
        "0",
    ];
    let mut state: u64 = 7;
    for _ in 0..4_000 {
        let mut text = String::from(if state.is_multiple_of(3) { "{{ " } else { "{% " });
        for _ in 0..state % 12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[usize::try_from((state >> 33) % words.len() as u64).unwrap()]);
            text.push(' ');
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(if state.is_multiple_of(2) { " }}" } else { " %}" });
        let _ = render(&text);
    }
}
