//! Small APIs: domains for sharding, advanced data types, invalidation of cached data.

use commands::query_run::cache_keys;
use infra::{Error, rison::Schema};
use serde_json::{Value, json};

use super::parse::{json_body, result};
use crate::schemas::field_checks::{as_python, kind_error};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    routes::{Access, Rule, rule},
    schemas::validate,
};

pub(crate) fn rules() -> Vec<Rule> {
    let types = Access::Protect("can_read", "AdvancedDataType");
    vec![
        rule(
            &["GET"],
            "/api/v1/available_domains/",
            Access::Protect("can_read", "AvailableDomains"),
            domains,
        )
        .endpoint("AvailableDomainsRestApi.get"),
        rule(&["GET"], "/api/v1/advanced_data_type/types", types, advanced_types)
            .endpoint("AdvancedDataTypeRestApi.get_types"),
        rule(&["GET"], "/api/v1/advanced_data_type/convert", types, convert)
            .endpoint("AdvancedDataTypeRestApi.get"),
        rule(
            &["POST"],
            "/api/v1/cachekey/invalidate",
            Access::Protect("can_invalidate", "CacheRestApi"),
            invalidate,
        )
        .endpoint("CacheRestApi.invalidate"),
    ]
}

async fn domains(cx: Cx) -> Handled {
    Ok(result(json!({"domains": cx.caller.app.config.get("SUPERSET_WEBSERVER_DOMAINS")})))
}

async fn advanced_types(cx: Cx) -> Handled {
    let types = cx.caller.app.config.get("ADVANCED_DATA_TYPES").as_object();
    Ok(result(types.into_iter().flatten().map(|(name, _)| json!(name)).collect::<Value>()))
}

static CONVERT: Schema = Schema {
    required: &["type", "values"],
    ..Schema::object(&[
        ("type", Schema::of_types(&["string"])),
        ("values", Schema { min_items: 1, ..Schema::array(&Schema::ANY) }),
    ])
};

const OPERATORS: &[&str] =
    &["EQUALS", "GREATER_THAN_OR_EQUAL", "GREATER_THAN", "IN", "LESS_THAN", "LESS_THAN_OR_EQUAL"];

const PORTS: &[(&str, &[i64])] = &[
    ("http", &[80]),
    ("ssh", &[22]),
    ("https", &[443]),
    ("ftp", &[20, 21]),
    ("ftps", &[989, 990]),
    ("telnet", &[23]),
    ("telnets", &[992]),
    ("smtp", &[25]),
    ("submissions", &[465]),
    ("kerberos", &[88]),
    ("kerberos-adm", &[749]),
    ("poperator3", &[110]),
    ("poperator3s", &[995]),
    ("nntp", &[119]),
    ("nntps", &[563]),
    ("ntp", &[123]),
    ("snmp", &[161]),
    ("ldap", &[389]),
    ("ldaps", &[636]),
    ("imap2", &[143]),
    ("imaps", &[993]),
    ("MySQL", &[3306]),
    ("Remote Desktop", &[3389]),
    ("dns", &[53]),
    ("ctf", &[84]),
    ("pdap", &[344]),
];

async fn convert(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &CONVERT)?;
    let kind = q.get("type").and_then(Value::as_str).unwrap_or_default();
    let values: Vec<String> =
        q.get("values").and_then(Value::as_array).into_iter().flatten().map(query::python::str_of).collect();
    let translate: fn(&str) -> Result<Value, String> = match kind {
        "port" => port,
        "internet_address" => address,
        other => {
            let text = format!("Invalid advanced data type: {other}");
            return Err(Error::bad_request(text).into());
        }
    };
    if values == [""] {
        let empty = if kind == "port" { json!([[""]]) } else { json!([""]) };
        return Ok(converted(empty, "", ""));
    }
    let (mut out, mut display) = (Vec::new(), String::new());
    for value in &values {
        match translate(value) {
            Ok(value) => out.push(value),
            Err(message) => return Ok(converted(Value::Array(out), &message, &display)),
        }
        display = out.iter().map(display_text).collect::<Vec<_>>().join(", ");
    }
    Ok(converted(Value::Array(out), "", &display))
}

fn display_text(value: &Value) -> String {
    match (value.get("start"), value.get("end")) {
        (Some(start), Some(end)) => format!("{start} - {end}"),
        _ => query::python::repr(value),
    }
}

fn converted(values: Value, error: &str, display: &str) -> Answer {
    result(json!({
        "values": values,
        "error_message": error,
        "display_value": display,
        "valid_filter_operators": OPERATORS,
    }))
}

fn port(text: &str) -> Result<Value, String> {
    let known = PORTS.iter().find(|(name, _)| *name == text).map(|(_, ports)| json!(ports));
    let number = text.parse::<i64>().ok().filter(|n| (1..=65535).contains(n)).map(|n| json!([n]));
    number.or(known).ok_or_else(|| format!("'{text}' does not appear to be a port name or number"))
}

/// An address or network as a number or a range of numbers.
fn address(text: &str) -> Result<Value, String> {
    use std::net::{IpAddr, Ipv4Addr};
    let wrong = || format!("'{text}' does not appear to be an IPv4 or IPv6 network");
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let number: u32 = text.parse().map_err(|_| wrong())?;
        return Ok(json!(number));
    }
    let (ip, prefix) = text.split_once('/').map_or((text, None), |(ip, p)| (ip, Some(p)));
    match ip.parse::<IpAddr>().map_err(|_| wrong())? {
        IpAddr::V4(ip) => {
            let prefix = match prefix {
                None => 32,
                Some(p) => match p.parse::<Ipv4Addr>() {
                    Ok(mask) => u32::from(mask).leading_ones(),
                    Err(_) => p.parse::<u32>().ok().filter(|p| *p <= 32).ok_or_else(wrong)?,
                },
            };
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            let start = u32::from(ip) & mask;
            let end = start | !mask;
            Ok(if start == end { json!(start) } else { json!({"start": start, "end": end}) })
        }
        IpAddr::V6(ip) => {
            let prefix = match prefix {
                None => 128,
                Some(p) => p.parse::<u32>().ok().filter(|p| *p <= 128).ok_or_else(wrong)?,
            };
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            let start = u128::from(ip) & mask;
            let end = start | !mask;
            // JSON numbers of this size are texts to most readers; the original prints them as numbers
            let number =
                |n: u128| n.to_string().parse::<serde_json::Number>().map_or(Value::Null, Value::Number);
            Ok(if start == end { number(start) } else { json!({"start": number(start), "end": number(end)}) })
        }
    }
}

/// Forgets the cached results of some datasets, named by their ids or by their names.
/// `CacheInvalidationRequestSchema`; the items of both lists are checked apart.
const INVALIDATION: &[Field] = &[
    Field::new("datasource_uids", FieldKind::Other("List")),
    Field::new("datasources", FieldKind::Other("List")),
];

/// A dataset by its names.
const NAMED: &[Field] = &[
    Field::new("database_name", FieldKind::String),
    Field::new("datasource_name", FieldKind::String),
    Field::text("catalog"),
    Field::new("schema", FieldKind::String),
    Field::new("datasource_type", FieldKind::String).required().check(is_datasource_type),
];

fn is_datasource_type(value: &Value) -> Option<&'static str> {
    let known = ["table", "dataset", "query", "saved_query", "view"];
    let named = value.as_str().is_some_and(|kind| known.contains(&kind));
    (!named).then_some("Must be one of: table, dataset, query, saved_query, view.")
}

async fn invalidate(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let (mut map, mut errors) = match validate::load(INVALIDATION, &body) {
        Ok(loaded) => (loaded, serde_json::Map::new()),
        Err(errors) => (serde_json::Map::new(), errors),
    };
    for (key, wrong) in [
        ("datasource_uids", body.get("datasource_uids").and_then(|v| kind_error("strs", v))),
        ("datasources", body.get("datasources").and_then(|v| validate::nested(NAMED, v).err())),
    ] {
        if let Some(wrong) = wrong {
            errors.insert(key.to_owned(), wrong);
            map.clear();
        }
    }
    if !errors.is_empty() {
        return Err(Error::bad_request(as_python(&Value::Object(errors))).into());
    }
    let uids = map.get("datasource_uids").and_then(Value::as_array).into_iter().flatten();
    let uids: Vec<&str> = uids.filter_map(Value::as_str).collect();
    let mut uids: Vec<String> = uids.into_iter().map(str::to_owned).collect();
    for named in map.get("datasources").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| named.get(key).and_then(Value::as_str);
        let (Some(database), Some(table)) = (text("database_name"), text("datasource_name")) else {
            continue;
        };
        uids.extend(cache_keys::uid_of_dataset(&cx.caller.app, database, table, text("schema")).await?);
    }
    cache_keys::invalidate(&cx.caller.app, &uids).await?;
    Ok(Answer::fab(201, &json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports() {
        assert_eq!(address("1.1.1.1"), Ok(json!(16_843_009)));
        assert_eq!(address("1.1.1.0/24"), Ok(json!({"start": 16_843_008, "end": 16_843_263})));
        assert_eq!(address("0.0.0.0/0"), Ok(json!({"start": 0, "end": 4_294_967_295_u32})));
        assert!(address("x").is_err());
        assert_eq!(port("ftp"), Ok(json!([20, 21])));
        assert!(port("70000").is_err());
    }
}
