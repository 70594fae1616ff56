//! What writing SQL needs beyond `infra::engines`: quoting and literals by dialect, grain expressions, labels.

use chrono::{DateTime, NaiveDateTime};
pub use infra::engine_specs::{Dialect, EngineSpec, GenericType};
use infra::{crypto::md5_hex, engine_specs::facts::Labels};

use crate::error::{QueryError, Result};

/// A moment in milliseconds since 1970 as a literal of a native type.
pub(crate) fn epoch_literal(spec: &EngineSpec, native_type: &str, epoch_ms: f64) -> Option<String> {
    if !epoch_ms.is_finite() || epoch_ms.abs() > 8.0e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let micros = (epoch_ms * 1000.0).round() as i64;
    let dttm: NaiveDateTime = DateTime::from_timestamp_micros(micros)?.naive_utc();
    spec.time_literal(native_type, dttm)
}

/// The expression over `{col}` of a grain and of an epoch format (`get_timestamp_expr`).
pub(crate) fn timestamp_template(
    spec: &EngineSpec,
    native_type: Option<&str>,
    python_date_format: Option<&str>,
    grain: Option<&str>,
) -> Result<String> {
    let mut template = match grain.filter(|grain| !grain.is_empty()) {
        None => "{col}".to_owned(),
        Some(grain) => spec
            .grain(grain)
            .ok_or_else(|| {
                QueryError::generic(format!("No grain spec for {grain} for database {}", spec.engine))
            })?
            .to_owned(),
    };
    let sqla_type = native_type.and_then(|native| spec.column_type(native)).map(|type_| type_.sqla);
    if let Some((type_, function)) = sqla_type.and_then(|name| Some((name, spec.date_trunc_function(name)?)))
    {
        template = template.replace("{func}", function).replace("{type}", type_);
    }
    let epoch = match python_date_format {
        Some("epoch_s") => spec.epoch_to_dttm(),
        Some("epoch_ms") => spec.epoch_ms_to_dttm(),
        _ => return Ok(template),
    };
    // Superset raises NotImplementedError without a text here.
    let epoch = epoch.ok_or_else(|| QueryError::generic(""))?;
    Ok(template.replace("{col}", epoch))
}

/// A label that the engine accepts (`make_label_compatible`): too long ones become a digest.
pub fn compatible_label(spec: &EngineSpec, label: &str) -> String {
    let mutated = mutated_label(spec, label);
    let Some(max) = spec.caps.max_column_name_length.filter(|max| mutated.chars().count() > *max) else {
        return mutated;
    };
    format!("{}{}", spec.sql.digest_prefix, md5_hex(label)).chars().take(max).collect()
}

/// What engines do to labels that they would not take, or would not give back, as they are (`_mutate_label`).
fn mutated_label(spec: &EngineSpec, label: &str) -> String {
    let digest = |length: usize| md5_hex(label).chars().take(length).collect::<String>();
    match spec.sql.labels {
        Labels::Lower => label.to_lowercase(),
        Labels::Digest => format!("{label}_{}", digest(6)),
        Labels::Unquoted => label.replace('"', ""),
        Labels::Undotted => label.replace('.', "_"),
        Labels::Words => {
            let mut mutated = String::new();
            if label.starts_with(|c: char| c.is_ascii_digit()) {
                mutated.push('_');
            }
            let mut in_gap = false;
            for c in label.chars() {
                let is_word = c.is_alphanumeric() || c == '_';
                if is_word {
                    mutated.push(c);
                } else if !in_gap {
                    mutated.push('_');
                }
                in_gap = !is_word;
            }
            if mutated != label {
                mutated += &format!("_{}", digest(5));
            }
            mutated
        }
        Labels::Same => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grains_and_epochs_make_templates() {
        let lite = infra::engine_specs::spec("sqlite", None);
        assert_eq!(
            timestamp_template(lite, None, Some("epoch_ms"), Some("P1Y")).unwrap(),
            "DATETIME(datetime(({col}/1000), 'unixepoch'), 'start of year')"
        );
        let error = timestamp_template(lite, None, None, Some("P4M")).unwrap_err();
        assert_eq!(error.to_string(), "No grain spec for P4M for database sqlite");
    }

    #[test]
    fn long_labels_become_digests() {
        let pg = infra::engine_specs::spec("postgresql", None);
        assert_eq!(compatible_label(pg, &"x".repeat(63)), "x".repeat(63));
        assert_eq!(compatible_label(pg, &"x".repeat(64)).len(), 32);
        let bigquery = infra::engine_specs::spec("bigquery", None);
        assert_eq!(compatible_label(bigquery, "2 % of x"), "_2_of_x_961ee");
    }
}
