//! The version of a chart or dashboard as somebody sees it (`superset.thumbnails.digest`), for several at once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use daos::{
    person::{self, Owned, Person},
    row_level_security::{self, Clause},
    thumbnail,
};
use infra::{Result, crypto::md5_hex, python::str_repr};
use query::template::has_template_syntax;

use crate::{
    Caller, Services,
    access::executor::{RelatedUsers, choose, find_user},
    query_run::render_clause,
};

/// Which entries of the list decide.
const EXECUTORS: &str = "THUMBNAIL_EXECUTORS";

/// A version, and as whom it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The version.
    pub text: String,
    /// The name of the user.
    pub executor: String,
}

/// What a digest is made of.
struct Parts {
    id: i64,
    /// All but the executor.
    text: Box<dyn Fn(&str) -> String + Send + Sync>,
    datasets: BTreeSet<i64>,
    created_by: Option<i64>,
    changed_by: Option<i64>,
}

/// Digests of charts by their ids; those for whom nobody can be found have none.
pub async fn charts(caller: &Caller, ids: &[i64]) -> Result<HashMap<i64, Digest>> {
    let parts = thumbnail::charts(caller.app.db.exec(), ids).await?.into_iter().map(|chart| {
        let params = chart.params.unwrap_or_default();
        Parts {
            id: chart.id,
            text: Box::new(move |executor| format!("{params}.{executor}")),
            datasets: chart.dataset_id.into_iter().collect(),
            created_by: chart.created_by,
            changed_by: chart.changed_by,
        }
    });
    digests(caller, Owned::Chart, parts.collect()).await
}

/// Digests of dashboards by their ids.
pub async fn dashboards(caller: &Caller, ids: &[i64]) -> Result<HashMap<i64, Digest>> {
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    let mut datasets: HashMap<i64, BTreeSet<i64>> = HashMap::new();
    for chart in thumbnail::charts_of(caller.app.db.exec(), ids).await? {
        let name = chart.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "<empty>".into());
        names.entry(chart.dashboard_id).or_default().push(str_repr(&name));
        datasets.entry(chart.dashboard_id).or_default().extend(chart.dataset_id);
    }
    let parts = thumbnail::dashboards(caller.app.db.exec(), ids).await?.into_iter().map(|dashboard| {
        let none = |text: Option<String>| text.unwrap_or_else(|| "None".to_owned());
        let names = names.remove(&dashboard.id).unwrap_or_default().join(", ");
        let (position, css, metadata) =
            (none(dashboard.position_json), none(dashboard.css), none(dashboard.json_metadata));
        let text = format!("{}\n[{names}]\n{position}\n{css}\n{metadata}", dashboard.id);
        Parts {
            id: dashboard.id,
            text: Box::new(move |_| text.clone()),
            datasets: datasets.remove(&dashboard.id).unwrap_or_default(),
            created_by: dashboard.created_by,
            changed_by: dashboard.changed_by,
        }
    });
    digests(caller, Owned::Dashboard, parts.collect()).await
}

async fn digests(caller: &Caller, owned: Owned, parts: Vec<Parts>) -> Result<HashMap<i64, Digest>> {
    let app = &caller.app;
    let current = caller.user.user.as_ref().map(|user| user.username.as_str());
    let related_users = related_users(app, owned, &parts).await?;
    let nobody = RelatedUsers::default();
    let mut chosen: Vec<(Parts, String, String)> = Vec::new();
    for part in parts {
        let related_users = related_users.get(&part.id).unwrap_or(&nobody);
        if let Ok((kind, name)) = choose(&app.config, EXECUTORS, related_users, current) {
            chosen.push((part, kind.to_owned(), name.to_owned()));
        }
    }
    let rules = rules(caller, &chosen).await?;
    let digest = |(part, kind, name): (Parts, String, String)| {
        let mut text = (part.text)(&name);
        if kind == "current_user" {
            text.push_str(&format!("\n{name}"));
        }
        let of_datasets: String =
            part.datasets.iter().filter_map(|id| rules.get(&name)?.get(id).map(String::as_str)).collect();
        if !of_datasets.is_empty() {
            text.push_str(&format!("\n{of_datasets}"));
        }
        (part.id, Digest { text: md5_hex(text), executor: name })
    };
    Ok(chosen.into_iter().map(digest).collect())
}

/// Who belongs to the objects, where the list of executors asks for them.
async fn related_users(app: &Services, owned: Owned, parts: &[Parts]) -> Result<HashMap<i64, RelatedUsers>> {
    let asked = app.config.get(EXECUTORS).as_array().into_iter().flatten();
    if asked
        .filter_map(|entry| entry.as_str())
        .all(|entry| entry == "current_user" || entry.starts_with("fixed"))
    {
        return Ok(HashMap::new());
    }
    let db = app.db.exec();
    let ids: Vec<i64> = parts.iter().map(|part| part.id).collect();
    let mut owners = person::owners(db, owned, &ids).await?;
    let makers: BTreeSet<i64> =
        parts.iter().flat_map(|part| [part.created_by, part.changed_by]).flatten().collect();
    let makers = person::find_many(db, &makers.into_iter().collect::<Vec<_>>()).await?;
    let named = |person: &Person| (person.id, person.username.clone());
    let of = |part: &Parts| {
        let owners = owners.remove(&part.id).unwrap_or_default();
        let maker = |id: Option<i64>| makers.get(&id?).map(named);
        let related_users = RelatedUsers {
            owners: owners.iter().map(named).collect(),
            created_by: maker(part.created_by),
            changed_by: maker(part.changed_by),
        };
        (part.id, related_users)
    };
    Ok(parts.iter().map(of).collect())
}

type RulesOf = HashMap<String, HashMap<i64, String>>;

/// By executor and dataset: its number and the conditions that hold for the executor.
async fn rules(caller: &Caller, chosen: &[(Parts, String, String)]) -> Result<RulesOf> {
    let (app, user) = (&caller.app, &caller.user);
    let mut found = RulesOf::new();
    let executors: BTreeSet<&str> = chosen.iter().map(|(_, _, name)| name.as_str()).collect();
    for name in executors {
        let own = user.user.as_ref().is_some_and(|user| user.username == name);
        let executor = if own { Some(user.clone()) } else { find_user(app, name).await?.map(Arc::new) };
        let Some(user) = executor else { continue };
        let executor = Caller { app: app.clone(), user };
        let mine = chosen.iter().filter(|(_, _, n)| n == name);
        let datasets: BTreeSet<i64> = mine.flat_map(|(part, ..)| part.datasets.iter().copied()).collect();
        let datasets: Vec<i64> = datasets.into_iter().collect();
        let clauses =
            row_level_security::of_datasets(app.db.exec(), &datasets, &executor.user.role_ids()).await?;
        let mut by_dataset: HashMap<i64, Vec<Clause>> = HashMap::new();
        for clause in clauses {
            by_dataset.entry(clause.dataset_id).or_default().push(clause);
        }
        let render = |clause: &str| rendered(&executor, clause);
        let texts = by_dataset.into_iter().map(|(id, clauses)| (id, text(id, &clauses, &render)));
        found.insert(name.to_owned(), texts.collect());
    }
    Ok(found)
}

/// `"<id>\t<condition>\t<condition>\n"`: those of a group are one condition.
fn text(dataset_id: i64, clauses: &[Clause], render: &impl Fn(&str) -> String) -> String {
    let mut conditions = Vec::new();
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for clause in clauses {
        let condition = format!("({})", render(&clause.clause));
        match clause.group_key.as_deref().filter(|key| !key.is_empty()) {
            None => conditions.push(condition),
            Some(key) => match groups.iter_mut().find(|(name, _)| *name == key) {
                Some((_, group)) => group.push(condition),
                None => groups.push((key, vec![condition])),
            },
        }
    }
    conditions.extend(groups.into_iter().map(|(_, group)| group.join(" OR ")));
    format!("{dataset_id}\t{}\n", conditions.join("\t"))
}

fn rendered(executor: &Caller, clause: &str) -> String {
    if !has_template_syntax(clause) || !executor.app.config.flag("ENABLE_TEMPLATE_PROCESSING") {
        return clause.to_owned();
    }
    let spec = infra::engine_specs::spec_for_uri("sqlite://");
    render_clause(executor, spec, clause).unwrap_or_else(|_| clause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_one_condition() {
        let clause = |group: Option<&str>, clause: &str| Clause {
            dataset_id: 7,
            group_key: group.map(str::to_owned),
            clause: clause.into(),
        };
        let clauses = [clause(Some("g"), "a = 1"), clause(None, "b = 2"), clause(Some("g"), "a = 3")];
        let text = text(7, &clauses, &|c: &str| c.to_owned());
        assert_eq!(text, "7\t(b = 2)\t(a = 1) OR (a = 3)\n");
    }
}
