//! Row-level rules: their rows through the API; and they hold wherever a table can be named (T7, T8, T22): a reader who
//! may see girls only asks for boys.

use serde_json::{Value, json};

use crate::support::{
    Client, Installation, Metadata, NO_RIGHT, PASSWORD, PostgresDatabase, REFUSED, Server, command, fields,
    make, message, postgres, postgres_uri, refused, scratch, statuses,
};

const DATA: &str = "CREATE TABLE people (id int, gender text); \
                    INSERT INTO people VALUES (1, 'girl'), (2, 'boy'), (3, 'girl'); \
                    CREATE TABLE other (id int, name text); \
                    INSERT INTO other VALUES (1, 'x'), (2, 'y'), (3, 'z'); \
                    CREATE VIEW seen AS SELECT * FROM people;";

const SETTINGS: [(&str, &str); 6] = [
    ("LITESET_RATELIMIT_ENABLED", "false"),
    ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false"),
    ("SUPERSET_FEATURE_ALLOW_ADHOC_SUBQUERY", "true"),
    ("SUPERSET_FEATURE_RLS_IN_SQLLAB", "true"),
    ("SUPERSET_FEATURE_ENABLE_TEMPLATE_PROCESSING", "true"),
    ("LITESET_SQLLAB_CTAS_NO_LIMIT", "true"),
];

/// A server, a database with people in it, and a reader with a rule on them.
struct World {
    // dropped in this order
    server: Server,
    metadata: Metadata,
    data: Option<PostgresDatabase>,
    admin: Client,
    reader: Client,
    schema: &'static str,
    database: i64,
    /// The dataset that has the rule.
    people: i64,
    next: u32,
}

impl World {
    fn on_sqlite(name: &str, clause: &str) -> Self {
        let home = scratch(name);
        let file = home.join("people.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch(DATA).unwrap();
        Self::start(home, &format!("sqlite:///{}", file.display()), "main", None, clause)
    }

    fn on_postgres(name: &str, clause: &str) -> Option<Self> {
        let data = PostgresDatabase::create(&postgres_uri()?, &name.replace('-', "_"));
        postgres::execute(&data.uri(), DATA);
        let uri = data.uri();
        Some(Self::start(scratch(name), &uri, "public", Some(data), clause))
    }

    fn start(
        home: std::path::PathBuf,
        uri: &str,
        schema: &'static str,
        data: Option<PostgresDatabase>,
        clause: &str,
    ) -> Self {
        let folder = home.join("data");
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", folder.to_str().unwrap()]).envs(SETTINGS);
        let server = Server::start_with(&mut run, home);
        let metadata = Metadata::Sqlite(folder.join("superset.db"));
        let mut admin = server.admin();
        let body = json!({
            "database_name": "people", "sqlalchemy_uri": uri, "expose_in_sqllab": true, "allow_ctas": true,
        });
        let database = make(&mut admin, "database", &body);
        let physical = |table: &str| json!({"database": database, "schema": schema, "table_name": table});
        let people = make(&mut admin, "dataset", &physical("people"));
        make(&mut admin, "dataset", &physical("other"));
        let found = admin.get("/api/v1/security/roles/?q=(page_size:100)").json();
        let role = |name: &str| {
            found["result"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap()["id"].clone()
        };
        let user = json!({
            "username": "reader", "first_name": "r", "last_name": "r", "email": "r@example.org", "active": true,
            "password": PASSWORD, "roles": [role("Alpha"), role("sql_lab")],
        });
        assert_eq!(admin.post("/api/v1/security/users/", &user).status, 201);
        let rule = json!({
            "name": "girls", "filter_type": "Regular", "clause": clause, "tables": [people],
            "roles": [role("Alpha")],
        });
        make(&mut admin, "rowlevelsecurity", &rule);
        let mut reader = server.anonymous();
        reader.log_in("reader", PASSWORD);
        Self { server, metadata, data, admin, reader, schema, database, people, next: 0 }
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("made {}", self.next)
    }

    /// A virtual dataset made by the administrator.
    fn virtual_dataset(&mut self, sql: &str) -> Option<i64> {
        let name = self.name();
        let body = json!({"database": self.database, "schema": self.schema, "table_name": name, "sql": sql});
        let made = self.admin.post("/api/v1/dataset/", &body);
        (made.status == 201).then(|| made.json()["id"].as_i64().unwrap())
    }

    /// Shapes that the engine takes: to SQLite a CTE of the name of a table that it reads is a circle.
    fn shapes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let is_sqlite = self.schema == "main";
        SHAPES.iter().copied().filter(move |shape| !(is_sqlite && shape.contains("WITH people")))
    }

    /// Gives a dataset a calculated column.
    fn add_column(&self, dataset: i64, name: &str, expression: &str) {
        self.metadata.run(&format!(
            "INSERT INTO table_columns (created_on, changed_on, table_id, column_name, type, is_dttm, groupby, \
             filterable, is_active, expression) \
             VALUES ('2020-01-01', '2020-01-01', {dataset}, '{name}', 'TEXT', 0, 1, 1, 1, '{expression}')"
        ));
    }

    /// What the reader and the administrator get.
    fn both(&mut self, path: &str, body: &Value) -> (String, String) {
        (self.reader.post(path, body).text(), self.admin.post(path, body).text())
    }

    fn chart(&mut self, dataset: i64, query: Value) -> (String, String) {
        self.both("/api/v1/chart/data", &chart(dataset, query))
    }

    /// The reader sees no boy where the administrator sees one.
    fn hides(&mut self, what: &str, dataset: i64, query: Value) {
        let (reader, admin) = self.chart(dataset, query);
        assert!(admin.contains("boy"), "{what} tells nothing: {admin}");
        let rows = rows(&reader);
        assert!(!rows.contains("boy"), "{what}: {reader}");
    }
}

fn chart(dataset: i64, query: Value) -> Value {
    let mut body = json!({"columns": ["gender"], "metrics": [], "row_limit": 50, "filters": []});
    body.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
    json!({
        "datasource": {"id": dataset, "type": "table"}, "queries": [body], "result_format": "json",
        "result_type": "full", "force": true,
    })
}

/// The rows of an answer, without the SQL, which may name what was asked for.
fn rows(answer: &str) -> String {
    match serde_json::from_str::<Value>(answer) {
        Ok(answer) if answer["result"][0]["data"].is_array() => {
            answer["result"].as_array().unwrap().iter().map(|r| r["data"].to_string()).collect()
        }
        Ok(answer) if answer["data"].is_array() => answer["data"].to_string(),
        _ => String::new(),
    }
}

fn sql(text: &str) -> Value {
    json!({"expressionType": "SQL", "sqlExpression": text, "label": "x"})
}

const SHAPES: &[&str] = &[
    "SELECT gender FROM {t}",
    "SELECT gender FROM (SELECT * FROM {t}) AS a",
    "WITH x AS (SELECT * FROM {t}) SELECT gender FROM x",
    "WITH people AS (SELECT * FROM {t}) SELECT gender FROM people",
    "WITH x AS (WITH y AS (SELECT * FROM {t}) SELECT * FROM y) SELECT gender FROM x",
    "SELECT p.gender FROM other AS o JOIN {t} AS p ON o.id = p.id",
    "SELECT p.gender FROM other AS o, {t} AS p",
    "SELECT p.gender FROM (other AS o JOIN {t} AS p ON o.id = p.id)",
    "SELECT 'none' AS gender UNION SELECT gender FROM {t}",
    "SELECT (SELECT MIN(gender) FROM {t}) AS gender",
    "SELECT 'boy' AS gender FROM other WHERE 'boy' IN (SELECT gender FROM {t})",
    "SELECT 'boy' AS gender FROM other GROUP BY name HAVING 'boy' IN (SELECT gender FROM {t})",
    "SELECT MIN((SELECT MIN(gender) FROM {t})) OVER () AS gender FROM other",
    "{{ '' }}SELECT gender FROM {t}",
];

fn virtual_datasets(mut world: World) {
    // the rule's dataset as the form stores it, and without what is the default
    for place in ["catalog = catalog", "catalog = NULL", "catalog = NULL, schema = NULL", "schema = NULL"] {
        world.metadata.run(&format!("UPDATE tables SET {place} WHERE id = {}", world.people));
        let (schema, upper) = (world.schema, world.schema.to_uppercase());
        let spellings = [
            "people".to_owned(),
            "PEOPLE".into(),
            "\"people\"".into(),
            "\"People\"".into(),
            format!("{schema}.people"),
            format!("{upper}.People"),
        ];
        for shape in world.shapes() {
            for table in &spellings {
                let text = shape.replace("{t}", table);
                // another letter inside quotes is another table to PostgreSQL
                let Some(id) = world.virtual_dataset(&text) else {
                    assert!(table.contains("\"P"), "{text}");
                    continue;
                };
                world.hides(&format!("{place}: {text}"), id, json!({}));
            }
        }
    }
}

#[test]
fn virtual_datasets_on_sqlite() {
    virtual_datasets(World::on_sqlite("rules-virtual", "gender = 'girl'"));
}

#[test]
fn virtual_datasets_on_postgresql() {
    let Some(world) = World::on_postgres("rules-virtual-pg", "gender = 'girl'") else { return };
    virtual_datasets(world);
}

/// A schema or catalog that the dataset merely claims leads nowhere else.
#[test]
fn what_a_dataset_claims_is_not_where_its_names_lead() {
    let mut world = World::on_sqlite("rules-claims", "gender = 'girl'");
    let id = world.virtual_dataset("SELECT gender FROM people").unwrap();
    for claim in ["schema = 'elsewhere'", "catalog = 'elsewhere'", "schema = 'elsewhere', catalog = 'x'"] {
        world.metadata.run(&format!("UPDATE tables SET {claim} WHERE id = {id}"));
        world.hides(claim, id, json!({}));
    }
    world
        .metadata
        .run(&format!("UPDATE tables SET catalog = 'y', schema = NULL WHERE id = {}", world.people));
    world.hides("the rule's dataset claims a catalog", id, json!({}));
}

fn every_place(mut world: World) {
    let id = world.virtual_dataset("SELECT id, gender FROM people").unwrap();
    world.hides("chart", id, json!({}));
    for kind in ["samples", "drill_detail", "full", "results"] {
        let mut body = chart(id, json!({"columns": ["id", "gender"]}));
        body["result_type"] = json!(kind);
        let (reader, admin) = world.both("/api/v1/chart/data", &body);
        assert!(
            admin.contains("boy") && reader.contains("girl") && !reader.contains("boy"),
            "{kind}: {reader}"
        );
    }
    let mut body = chart(id, json!({}));
    body["result_format"] = json!("csv");
    let (reader, admin) = world.both("/api/v1/chart/data", &body);
    assert!(admin.contains("boy") && reader.contains("girl") && !reader.contains("boy"), "csv: {reader}");
    for dataset in [id, world.people] {
        let path = format!("/api/v1/datasource/table/{dataset}/column/gender/values/");
        let (reader, admin) = (world.reader.get(&path).text(), world.admin.get(&path).text());
        assert!(
            admin.contains("boy") && reader.contains("girl") && !reader.contains("boy"),
            "values: {reader}"
        );
        let path = format!("/datasource/samples?datasource_type=table&datasource_id={dataset}&force=true");
        let (reader, admin) = world.both(&path, &json!({}));
        assert!(
            admin.contains("boy") && reader.contains("girl") && !reader.contains("boy"),
            "samples: {reader}"
        );
    }
    annotations(&mut world, id);
    let other = world.admin.get("/api/v1/dataset/?q=(page_size:100)").json()["result"].clone();
    let other = other.as_array().unwrap().iter().find(|d| d["table_name"] == "other").unwrap()["id"]
        .as_i64()
        .unwrap();
    expressions(&mut world, other);
    stored_expressions(&mut world, other);
    // a rule is not left by way of an OR in an expression that is filtered by
    let people = world.people;
    let all = json!({"col": sql("1 = 1 OR gender"), "op": "==", "val": "x"});
    world.hides("a filter by an expression", people, json!({"filters": [all]}));
    world.hides("extras.where", people, json!({"extras": {"where": "1 = 1 OR gender = 'x'"}}));
    // a view is a table of its own
    let view = world.virtual_dataset("SELECT gender FROM seen").unwrap();
    let (reader, _) = world.chart(view, json!({}));
    assert!(rows(&reader).contains("boy"), "{reader}");
}

fn annotations(world: &mut World, dataset: i64) {
    let body = json!({
        "slice_name": "layer", "datasource_id": dataset, "datasource_type": "table", "viz_type": "table",
        "query_context": chart(dataset, json!({})).to_string(),
    });
    let layer = make(&mut world.admin, "chart", &body);
    let asked = json!({"annotation_layers": [{
        "name": "layer", "sourceType": "table", "annotationType": "EVENT", "value": layer, "show": true,
        "style": "solid", "showMarkers": false, "overrides": {},
    }], "columns": [], "metrics": [sql("COUNT(*)")]});
    let (reader, admin) = world.chart(dataset, asked);
    let layer =
        |text: &str| serde_json::from_str::<Value>(text).unwrap()["result"][0]["annotation_data"].to_string();
    assert!(layer(&admin).contains("boy"), "{admin}");
    assert!(layer(&reader).contains("girl") && !layer(&reader).contains("boy"), "{reader}");
}

/// Sub-queries in what a request says.
fn expressions(world: &mut World, other: i64) {
    let boys = "(SELECT MIN(gender) FROM people)";
    let exists = "EXISTS (SELECT 1 FROM PEOPLE AS p WHERE p.gender = 'boy')";
    let count = json!({"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "n"});
    let tells = format!("CASE WHEN {exists} THEN 'boy' ELSE 'none' END");
    for (what, query) in [
        ("a column", json!({"columns": [sql(boys)]})),
        ("a metric", json!({"columns": [], "metrics": [sql(&format!("MAX({tells})"))]})),
        ("a window", json!({"columns": [sql(&format!("MIN({boys}) OVER ()"))], "metrics": null})),
        ("extras.where", json!({"columns": [sql("'boy'")], "extras": {"where": exists}})),
        (
            "extras.having",
            json!({"columns": [sql("'boy'")], "metrics": [count], "extras": {"having": exists}}),
        ),
        (
            "a filter",
            json!({"columns": [sql("'boy'")], "filters": [{"col": sql(boys), "op": "==", "val": "boy"}]}),
        ),
    ] {
        world.hides(what, other, query);
    }
    let order = json!({"columns": ["name"], "orderby": [[sql(boys), true]]});
    let (reader, _) = world.chart(other, order);
    let text = serde_json::from_str::<Value>(&reader).unwrap()["result"][0]["query"].to_string();
    assert!(text.contains("gender = 'girl'"), "{reader}");
}

/// Sub-queries in what the dataset itself holds, and texts that are more than an expression.
fn stored_expressions(world: &mut World, other: i64) {
    for (i, text) in [
        "(SELECT MIN(gender) FROM people)",
        "(SELECT MIN(gender) FROM PEOPLE AS p)",
        "(WITH x AS (SELECT * FROM people) SELECT MIN(gender) FROM x)",
        "gender FROM people --",
        "gender FROM people /* ",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("c{i}");
        world.add_column(other, &name, text);
        world.metadata.run(&format!(
            "INSERT INTO sql_metrics (created_on, changed_on, table_id, metric_name, expression) \
             VALUES ('2020-01-01', '2020-01-01', {other}, 'm{i}', '{text}')"
        ));
        let (column, _) = world.chart(other, json!({"columns": [name]}));
        let (metric, _) = world.chart(other, json!({"columns": [], "metrics": [format!("m{i}")]}));
        assert!(
            !rows(&column).contains("boy") && !rows(&metric).contains("boy"),
            "{text}: {column} {metric}"
        );
        let path = format!("/api/v1/datasource/table/{other}/column/{name}/values/");
        let values = world.reader.get(&path);
        assert!(values.status != 200 || !values.text().contains("boy"), "{text}: {}", values.text());
        if i < 3 {
            world.hides(text, other, json!({"columns": [name]}));
        }
        world.metadata.run(&format!("DELETE FROM table_columns WHERE column_name = '{name}'"));
        world.metadata.run(&format!("DELETE FROM sql_metrics WHERE metric_name = 'm{i}'"));
    }
    // a comment would hide the rule behind the filter
    let people = world.people;
    world.add_column(people, "all", "1 = 1 -- ");
    let all = json!({"col": "all", "op": "==", "val": "x"});
    let (reader, _) = world.chart(people, json!({"filters": [all]}));
    assert!(!rows(&reader).contains("boy"), "{reader}");
}

#[test]
fn every_place_on_sqlite() {
    every_place(World::on_sqlite("rules-places", "gender = 'girl'"));
}

#[test]
fn every_place_on_postgresql() {
    let Some(world) = World::on_postgres("rules-places-pg", "gender = 'girl'") else { return };
    every_place(world);
}

/// A template in the rule is rendered for whoever asks.
#[test]
fn rules_with_templates_reach_tables_inside() {
    let mut world = World::on_sqlite("rules-templates", "gender = '{{ \"girl\" }}'");
    let id = world.virtual_dataset("SELECT gender FROM Main.People").unwrap();
    world.hides("a template", id, json!({}));
    let path = format!("/api/v1/datasource/table/{id}/column/gender/values/");
    let values = world.reader.get(&path).text();
    assert!(values.contains("girl") && !values.contains("boy"), "{values}");
}

/// Another dataset for the same table has no fewer rules than the table.
#[test]
fn a_second_dataset_for_the_table_is_no_way_around() {
    let mut world = World::on_sqlite("rules-twin", "gender = 'girl'");
    let twin = world.virtual_dataset("SELECT gender FROM people").unwrap();
    for claim in ["schema = NULL", "schema = 'main'", "schema = 'MAIN', catalog = 'x'"] {
        world
            .metadata
            .run(&format!("UPDATE tables SET table_name = 'PEOPLE', sql = NULL, {claim} WHERE id = {twin}"));
        if !claim.contains("MAIN") {
            world.hides(claim, twin, json!({}));
        }
        let (reader, _) = world.chart(twin, json!({}));
        assert!(!rows(&reader).contains("boy"), "{claim}: {reader}");
    }
}

fn sql_lab(mut world: World) {
    let database = world.database;
    let mut id = 0;
    let mut run = |client: &mut Client, sql: &str, schema: Option<&str>| {
        id += 1;
        let ask = json!({
            "database_id": database, "sql": sql, "client_id": format!("rls{id}"), "sql_editor_id": "1",
            "schema": schema,
        });
        (client.post("/api/v1/sqllab/execute/", &ask).text(), format!("rls{id}"))
    };
    let schema = world.schema;
    for shape in world.shapes() {
        for table in ["people", "PEOPLE", &format!("{schema}.people"), &format!("{schema}.PeoPle")] {
            let text = shape.replace("{t}", table);
            for chosen in [None, Some(schema)] {
                let (admin, _) = run(&mut world.admin, &text, chosen);
                assert!(rows(&admin).contains("boy"), "{text}: {admin}");
                let (reader, client_id) = run(&mut world.reader, &text, chosen);
                assert!(!rows(&reader).contains("boy"), "{text}: {reader}");
                let csv = world.reader.get(&format!("/api/v1/sqllab/export/{client_id}/")).text();
                assert!(!csv.contains("boy"), "{text}: {csv}");
            }
        }
    }
    // SQLite takes no notice of the schema that is chosen
    let (reader, _) = run(&mut world.reader, "SELECT gender FROM people", Some("elsewhere"));
    assert!(!rows(&reader).contains("boy"), "{reader}");
    for text in ["SET search_path = elsewhere; SELECT gender FROM people", "SELECT gender FROM ONLY people"] {
        let (reader, _) = run(&mut world.reader, text, None);
        assert!(!rows(&reader).contains("boy"), "{text}: {reader}");
    }
    let estimate = json!({"database_id": database, "sql": "SELECT * FROM people"});
    let (reader, admin) = world.both("/api/v1/sqllab/estimate/", &estimate);
    if world.data.is_some() {
        assert_ne!(reader, admin, "the estimate tells of hidden rows");
    }
}

#[test]
fn sql_lab_on_sqlite() {
    sql_lab(World::on_sqlite("rules-lab", "gender = 'girl'"));
}

#[test]
fn sql_lab_on_postgresql() {
    let Some(world) = World::on_postgres("rules-lab-pg", "gender = 'girl'") else { return };
    sql_lab(world);
}

/// A file of what somebody else may see is made with the rules of whoever fetches it, and with those of now.
#[test]
fn exports_have_the_rules_of_today() {
    let mut world = World::on_sqlite("rules-export", "gender = 'girl'");
    world.metadata.run("UPDATE row_level_security_filters SET clause = '1 = 1'");
    let ask = json!({"database_id": world.database, "sql": "SELECT gender FROM people", "client_id": "then"});
    assert!(rows(&world.reader.post("/api/v1/sqllab/execute/", &ask).text()).contains("boy"));
    world.metadata.run("UPDATE row_level_security_filters SET clause = 'gender = ''girl'''");
    let csv = world.reader.get("/api/v1/sqllab/export/then/").text();
    assert!(csv.contains("girl") && !csv.contains("boy"), "{csv}");
    assert!(!world.server.log().contains("panicked"));
}

fn rule(on: &Installation, name: &str) -> Value {
    json!({"name": name, "description": "d", "filter_type": "Regular", "tables": [on.dataset], "roles": [1],
           "group_key": "k", "clause": "a = 'ü'"})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let made = admin.post("/api/v1/rowlevelsecurity/", &rule(on, "girls ☃"));
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.told(), (201, json!({"id": id, "result": rule(on, "girls ☃")})));
    let path = format!("/api/v1/rowlevelsecurity/{id}");
    let read = admin.result(&format!("rowlevelsecurity/{id}"));
    assert_eq!((&read["clause"], &read["roles"]), (&json!("a = 'ü'"), &json!([{"id": 1, "name": "Admin"}])));
    assert_eq!(read["tables"][0]["table_name"], "t");
    let put = admin.put(&path, &json!({"filter_type": "Base", "roles": []}));
    assert_eq!(put.told(), (200, json!({"id": id, "result": {"filter_type": "Base", "roles": []}})));
    assert_eq!(admin.result(&format!("rowlevelsecurity/{id}"))["roles"], json!([]));
    let other = make(&mut admin, "rowlevelsecurity", &rule(on, "boys"));
    let mut ids = |q: &str| admin.ids("rowlevelsecurity", q);
    assert_eq!(ids("(order_column:name,order_direction:asc)"), [other, id]);
    assert_eq!(ids("(filters:!((col:filter_type,opr:eq,value:Base)))"), [id]);
    let of_table = format!("(filters:!((col:tables,opr:rel_m_m,value:!({}))))", on.dataset);
    assert_eq!(ids(&of_table), [other], "a PUT that names no tables takes them away");
    let related = admin.get("/api/v1/rowlevelsecurity/related/tables").json();
    assert_eq!(related["result"][0]["value"], on.dataset);
    let bulk = admin.delete(&format!("/api/v1/rowlevelsecurity/?q=!({other},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/rowlevelsecurity/?q=!({other})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 rules")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.delete(&path).told(), (404, message("Not found")));
    assert!(on.metadata.texts("SELECT id || '' FROM rls_filter_tables").is_empty());
}

#[test]
fn rules_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("rls"));
}

#[test]
fn rules_that_are_refused_and_people() {
    let on = Installation::on_sqlite("rls-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, "rowlevelsecurity", &rule(&on, "mine"));
    let with = |key: &str, value: Value| {
        let mut body = rule(&on, "new");
        body[key] = value;
        body
    };
    let both = [
        (with("name", json!("")), 400, fields("name", "Length must be between 1 and 255.")),
        (with("filter_type", json!("x")), 400, fields("filter_type", "Must be one of: Regular, Base.")),
        (with("tables", json!(1)), 400, fields("tables", "Not a valid list.")),
        (with("tables", json!([99999])), 422, message("[l'Datasource does not exist']")),
        (with("roles", json!([99999])), 422, message("[l'Some roles do not exist']")),
        (with("clause", Value::Null), 400, fields("clause", "Field may not be null.")),
        (with("bogus", json!(1)), 400, fields("bogus", "Unknown field.")),
    ];
    refused(&mut admin, "POST", "rowlevelsecurity/", &both);
    refused(&mut admin, "PUT", &format!("rowlevelsecurity/{id}"), &both);
    refused(
        &mut admin,
        "POST",
        "rowlevelsecurity/",
        &[
            (with("tables", json!([])), 400, fields("tables", "Shorter than minimum length 1.")),
            (with("name", json!("mine")), 422, message("()")),
        ],
    );
    refused(&mut admin, "PUT", "rowlevelsecurity/99999", &[(json!({}), 404, message("Not found"))]);
    assert_eq!(statuses(&mut on.server.anonymous(), "rowlevelsecurity", id, &json!({})), REFUSED);
    for role in ["Alpha", "Gamma"] {
        let (mut person, _) = on.server.person(role, role);
        assert_eq!(statuses(&mut person, "rowlevelsecurity", id, &json!({})), NO_RIGHT, "{role}");
    }
}
