use std::path::Path;

use serde_json::json;

use super::{
    manager::{Answers, Manager, Outcome, Question},
    *,
};

fn read_with(source: &str, environment: &[(&str, &str)]) -> PythonConfig {
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let defaults = IndexMap::from([("DEFAULT_FEATURE_FLAGS".to_owned(), json!({"A": true}))]);
    read(Path::new("superset_config.py"), source, &environment, &defaults).unwrap()
}

/// Lines and subjects of the problems: a key's name, `*` for anything, `!` for the end, `-` for a statement.
fn problems(source: &str) -> Vec<(usize, String)> {
    let subject = |subject: &Subject| match subject {
        Subject::Key(key) => key.clone(),
        Subject::Anything => "*".to_owned(),
        Subject::Failure => "!".to_owned(),
        Subject::Statement => "-".to_owned(),
    };
    read_with(source, &[]).problems.iter().map(|p| (p.line, subject(&p.subject))).collect()
}

#[test]
fn what_liteset_cannot_have_is_reported_with_its_line_and_key() {
    let cases: &[(&str, &[(usize, &str)])] = &[
        ("import boto3\nROW_LIMIT = boto3.client('ssm').get()\nX = 3\n", &[(2, "ROW_LIMIT")]),
        ("from company import secret\nSECRET_KEY = secret('k')\n", &[(2, "SECRET_KEY")]),
        ("from company import SECRET_KEY\n", &[(1, "SECRET_KEY")]),
        ("import company\nfor k in company.flags():\n    FEATURE_FLAGS[k] = True\n", &[(3, "FEATURE_FLAGS")]),
        ("import company\nif company.on():\n    A = 1\nelse:\n    A = 2\n", &[(2, "A")]),
        ("import company\nfor k, v in company.all():\n    globals()[k] = v\n", &[(3, "*")]),
        ("import company\nwith company.vault() as v:\n    A = v.get()\n", &[(2, "A")]),
        (
            "import company\nA = [x for x in company.all()]\nB = f'{company.name()}'\nC = company.x() or 1\n",
            &[(2, "A"), (3, "B"), (4, "C")],
        ),
        ("import company\ncompany.init('x')\n", &[(2, "-")]),
        ("import company\nFLAGS = {}\ncompany.fill(FLAGS)\n", &[(3, "-"), (3, "FLAGS")]),
        (
            "import company\ndef f():\n    if company.on():\n        return 1\n    return 2\nA = f()\nB = 1\n",
            &[(6, "A")],
        ),
        (
            "import company\ndef f():\n    global A\n    while company.on():\n        A = 1\nf()\n",
            &[(5, "A"), (6, "-")],
        ),
        ("try:\n    import company\n    A = 1\nexcept ImportError:\n    A = 2\n", &[(5, "A")]),
        ("try:\n    import company\nexcept ImportError:\n    pass\nA = 1\n", &[]),
        ("import company\nA = company.f()\nA = 1\n", &[]),
        ("def unused():\n    global A\n    A = nope\n", &[]),
        ("from company import StatsLogger\nSTATS_LOGGER = StatsLogger(host='h')\n", &[(2, "STATS_LOGGER")]),
        ("import subprocess\nA = subprocess.check_output(['x'])\n", &[(2, "A")]),
        ("import requests\nA = requests.get('http://127.0.0.1').json()\n", &[(2, "A")]),
    ];
    for (source, want) in cases {
        let mut found = problems(source);
        found.sort();
        let mut want: Vec<_> = want.iter().map(|(line, subject)| (*line, (*subject).to_owned())).collect();
        want.sort();
        // where several lines assign a name, any of them will do
        found.iter_mut().zip(&want).for_each(|(f, w)| {
            if f.1 == w.1 && f.1 == "A" {
                f.0 = w.0;
            }
        });
        assert_eq!(found, want, "{source}");
    }
}

#[test]
fn errors_are_told_all_at_once_and_without_what_follows_from_them() {
    let source = "import os\nPASSWORD = os.environ['NOPE']\nSQLALCHEMY_DATABASE_URI = f'x://{PASSWORD}'\n\
                  A = undefined\n\
                  from missing import *\nraise ValueError('hunter2')\nB = 1 / 0\nC = int('hunter2')\nD = 4\n";
    let config = read_with(source, &[]);
    let texts: Vec<String> = config.problems.iter().map(|p| format!("{} {}", p.line, p.text)).collect();
    let want = [
        "2 the file ends with an error here: KeyError: NOPE is not in the environment",
        "4 the file ends with an error here: NameError: name 'undefined' is not defined",
        "5 the file ends with an error here: ModuleNotFoundError: missing is neither beside the file nor on PYTHONPATH",
        "6 the file ends with an error here: ValueError",
        "7 the file ends with an error here: ZeroDivisionError: division by zero",
        "8 the file ends with an error here: ValueError",
    ];
    assert_eq!(texts, want);
    assert_eq!(config.values.keys().collect::<Vec<_>>(), ["D"]);
}

#[test]
fn what_does_not_end_is_ended() {
    for source in [
        "while True: pass",
        "def f(n): return f(n + 1)\nf(0)",
        "x = 'a'\nwhile True: x += x",
        "x = ['a'] * 10 ** 9",
        "x = 'a' * 10 ** 12",
        "x = [0]\nfor i in x: x.extend(x)\nwhile 1: x += x",
        "sum(range(10 ** 12))",
        "x = 10 ** 10 ** 10",
        "f'{1:>{10**9}}'",
        "class A:\n    def __eq__(self, o): return self == o\nA() == 1",
        "x = []\nx.append(x)\nA = x\nB = str(x)\nC = x == [x]\nwhile True: pass",
    ] {
        let found = read_with(&format!("{source}\n"), &[]);
        assert!(
            found.problems.iter().any(|p| p.subject == Subject::Failure),
            "{source}: {:?}",
            found.problems
        );
    }
}

#[test]
fn defaults_can_be_imported_and_changed() {
    let config = read_with(
        "from superset.config import DEFAULT_FEATURE_FLAGS\nFEATURE_FLAGS = dict(DEFAULT_FEATURE_FLAGS, B=True)\n",
        &[],
    );
    assert_eq!(config.values["FEATURE_FLAGS"], json!({"A": true, "B": true}));
}

#[test]
fn syntax_errors_name_their_line() {
    let error = read(Path::new("x.py"), "A = 1\nB = = 2\n", &HashMap::new(), &IndexMap::new()).unwrap_err();
    assert_eq!(error.line, 2);
}

#[test]
fn no_problem_quotes_the_file() {
    const SECRET: &str = "postgresql://u:hunter2@h";
    let sources = [
        "for k in unknown({'A': 'SECRET'}).items():\n    globals()[k] = 1\n",
        "A = 'SECRET'.frobnicate()\n",
        "A = 'SECRET' - 1\n",
        "A = {'SECRET': 1}['x']\n",
        "A = {}['SECRET']\n",
        "A = ['SECRET'][5]\n",
        "A = f\"{'SECRET':>9z}\"\n",
        "A = ~'SECRET'\n",
        "A = 'SECRET'(1)\n",
        "A = {**'SECRET'}\n",
        "A, B = 'SECRET'\n",
        "A = {}\nA['x']['SECRET'] = 1\n",
        "import x\nwith x.connect('SECRET') as c:\n    A = c\n",
        "import x\nif x.PASSWORD() == 'SECRET':\n    A = 1\n",
        "A = int('SECRET')\n",
        "A = float('SECRET')\n",
        "A = 'SECRET'.x.y\n",
        "import x\nx.init('SECRET')\n",
        "raise ValueError('SECRET')\n",
        "assert False, 'SECRET'\n",
        "A = 'SECRET' % (1, 2)\n",
        "A = 'SECRET {}'.format()\n",
        "import json\nA = json.loads('SECRET')\n",
        "from enum import Enum\nclass E(Enum):\n    A = 1\nE('SECRET')\n",
        "from datetime import datetime\ndatetime.fromisoformat('SECRET')\n",
        "[1].remove('SECRET')\n",
        "{'a'}.remove('SECRET')\n",
    ];
    for source in sources {
        let config = read_with(&source.replace("SECRET", SECRET), &[]);
        assert!(!config.problems.is_empty(), "{source}");
        let texts = format!("{:?}", config.problems);
        assert!(!texts.contains("hunter2"), "{source}: {texts}");
    }
    let error = read(Path::new("x.py"), "A = 'hunter2\n", &HashMap::new(), &IndexMap::new()).unwrap_err();
    assert!(!error.text.contains("hunter2"), "{error:?}");
}

#[test]
fn the_class_of_celery_gives_its_entries() {
    let config = read_with(
        "from celery.schedules import crontab
from company import make_url
class Base:
    worker_prefetch_multiplier = 1
class CeleryConfig(Base):
    broker_url = make_url()
    beat_schedule = {
        'reports.scheduler': {'task': 'reports.scheduler', 'schedule': crontab(minute='*', hour='*')},
    }
CELERY_CONFIG = CeleryConfig
",
        &[],
    );
    assert_eq!(config.problems, []);
    let want = json!({"worker_prefetch_multiplier": 1, "broker_url": null, "beat_schedule": {
        "reports.scheduler": {"task": "reports.scheduler", "schedule": "* * * * *"},
    }});
    assert_eq!(config.values["CELERY_CONFIG"], want);
}

/// The result of calling the function that `F` is.
fn call(source: &str, arguments: &[Json], caller: &Caller) -> Result<Json, CallError> {
    let config = read_with(source, &[]);
    assert_eq!(config.problems, [], "{source}");
    let inputs = arguments.iter().cloned().map(Input::Data).collect();
    config.functions["F"].call(inputs, Vec::new(), caller)
}

#[test]
fn functions_are_called_with_data() {
    let nobody = Caller::default();
    let cases: &[(&str, Json, Json)] = &[
        ("def F(sql): return f'-- x\\n{sql}'", json!("SELECT 1"), json!("-- x\nSELECT 1")),
        ("F = lambda d: {**d, 'b': 2}", json!({"a": 1}), json!({"a": 1, "b": 2})),
        ("SEEN = []\ndef F(x):\n    SEEN.append(x)\n    return len(SEEN)", json!(1), json!(1)),
        (
            "import re
from datetime import datetime
def F(x):
    def up(m): return m.group(0).upper()
    return re.sub('[ab]', up, x)",
            json!("abc"),
            json!("ABc"),
        ),
        ("class C:\n    def __call__(self, x): return x + 1\nF = C()", json!(1), json!(2)),
        (
            "def F(x):\n    try:\n        return x['nope']\n    except KeyError as e:\n        return str(e)",
            json!({}),
            json!("'nope'"),
        ),
        ("def F(x):\n    import os.path\n    return os.path.basename(x)", json!("/a/b"), json!("b")),
    ];
    for (source, argument, want) in cases {
        assert_eq!(call(source, std::slice::from_ref(argument), &nobody).unwrap(), *want, "{source}");
    }
}

#[test]
fn functions_know_who_asks() {
    let user = json!({"id": 1, "username": "ada", "roles": [{"name": "Admin"}]}).as_object().cloned();
    let caller = Caller { user };
    for (source, want) in [
        ("from flask import g\ndef F(): return g.user.username", json!("ada")),
        (
            "from flask_login import current_user\ndef F(): return [r.name for r in current_user.roles]",
            json!(["Admin"]),
        ),
        ("from superset.utils.core import get_username\ndef F(): return get_username()", json!("ada")),
        ("from flask import g\ndef F(): return hasattr(g, 'user') and g.user.id", json!(1)),
    ] {
        assert_eq!(call(source, &[], &caller).unwrap(), want, "{source}");
    }
}

#[test]
fn what_goes_wrong_in_a_function_has_a_place_and_nothing_catches_it() {
    let nobody = Caller::default();
    for (source, line, text) in [
        ("def F():\n    return 1 / 0", 2, "ZeroDivisionError: division by zero"),
        ("def F():\n    while True: pass", 2, "it takes too long"),
        ("def F():\n    x = 'a'\n    while True: x += x", 3, "it needs too much memory"),
        ("def F(): return F()", 1, "it calls itself too deeply"),
        (
            "import requests
def F():
    try:
        return requests.get('http://x')
    except Exception:
        return None",
            4,
            "requests.get(…) is not there in liteset",
        ),
        ("from flask import request\ndef F():\n    return request.headers['X']", 3, "request.headers"),
        (
            "import company\nCLIENT = company.client()\ndef F():\n    return CLIENT.x",
            4,
            "company.client(…) is not there in liteset",
        ),
        ("def F():\n    return F", 1, "function F, which is not data"),
        ("def F():\n    raise ValueError('told')", 2, "ValueError"),
        ("def F(x):\n    return x", 1, "TypeError: F() misses its argument 'x'"),
    ] {
        let error = match read_with(source, &[]).functions["F"].call(Vec::new(), Vec::new(), &nobody) {
            Err(error) => error,
            Ok(value) => panic!("{source}: {value}"),
        };
        assert!(error.text.contains(text), "{source}: {error}");
        assert!(error.line == line || text.contains("not data"), "{source}: {error}");
    }
}

#[test]
fn objects_of_superset_are_their_attributes() {
    let config = read_with(
        "def F(uri, params, username, security_manager, source):
    if username:
        uri = uri.set(username=username)
    params['connect_args'] = {'application_name': 'x'}
    return uri, params
def G(database): return database.database_name
def H(database): return database.get_extra()
D = {'f': lambda x: x * 2, 'n': 1}
",
        &[],
    );
    let nobody = Caller::default();
    let empty = || Input::Object("security_manager", serde_json::Map::new());
    let given = vec![
        Input::Url("postgresql://u:p%40@h:5432/d?sslmode=require".into()),
        Input::Data(json!({})),
        Input::Data(json!("ada")),
        empty(),
        Input::Data(Json::Null),
    ];
    let made = config.functions["F"].call(given, Vec::new(), &nobody).unwrap();
    let want = json!(["postgresql://ada:p%40@h:5432/d?sslmode=require", {"connect_args": {"application_name": "x"}}]);
    assert_eq!(made, want);
    let database = || {
        let attributes = json!({"id": 1, "database_name": "examples"}).as_object().cloned().unwrap();
        vec![Input::Object("database", attributes)]
    };
    assert_eq!(config.functions["G"].call(database(), Vec::new(), &nobody).unwrap(), json!("examples"));
    let error = config.functions["H"].call(database(), Vec::new(), &nobody).unwrap_err();
    assert!(error.text.contains("database.get_extra is not there"), "{error}");
    let doubled = config.functions["D"].item("f").unwrap();
    assert_eq!(doubled.call(vec![Input::Data(json!(4))], Vec::new(), &nobody).unwrap(), json!(8));
    assert_eq!(config.functions["D"].names(), ["f"]);
}

#[test]
fn a_call_can_run_beside_others() {
    let config =
        read_with("N = {'n': 0}\ndef F(x):\n    for i in range(200): N['n'] += 1\n    return x\n", &[]);
    let function = &config.functions["F"];
    std::thread::scope(|scope| {
        for i in 0..4 {
            scope.spawn(move || {
                for _ in 0..20 {
                    let inputs = vec![Input::Data(json!(i))];
                    assert_eq!(function.call(inputs, Vec::new(), &Caller::default()).unwrap(), json!(i));
                }
            });
        }
    });
}

#[test]
fn methods_of_a_security_manager() {
    let config = read_with(
        "from superset.security import SupersetSecurityManager
class Own(SupersetSecurityManager):
    def oauth_user_info(self, provider, response=None):
        if provider == 'corp':
            return {'username': response['userinfo']['sub']}
        return super().oauth_user_info(provider, response)
F = Own
",
        &[],
    );
    let function = &config.functions["F"];
    assert_eq!(function.class_members(), ["oauth_user_info"]);
    assert_eq!(function.foreign_overrides(), Ok(Vec::new()));
    let manager = Manager { providers: vec!["corp".into(), "other".into()], ..Manager::default() };
    let ask = |provider: &str, answers: Answers| {
        let arguments = [json!(provider), json!({"userinfo": {"sub": "ada"}})];
        function.call_method("oauth_user_info", &manager, &arguments, &Arc::new(answers)).unwrap()
    };
    assert_eq!(ask("corp", Vec::new()), Outcome::Done(json!({"username": "ada"})));
    let question = Question::Person { provider: "other".into() };
    assert_eq!(ask("other", Vec::new()), Outcome::Asks(question.clone()));
    assert_eq!(
        ask("other", vec![(question, json!({"username": "x"}))]),
        Outcome::Done(json!({"username": "x"}))
    );
}

#[test]
fn a_security_manager_asks_the_provider_and_the_table() {
    let config = read_with(
        "from superset.security import SupersetSecurityManager
class Own(SupersetSecurityManager):
    admins = ['ada']
    def __init__(self, appbuilder):
        super().__init__(appbuilder)
    def helper(self, me):
        return me['name'].lower()
    def oauth_user_info(self, provider, response=None):
        me = self.appbuilder.sm.oauth_remotes[provider].get('me', params={'a': 'b c'})
        me.raise_for_status()
        more = self.oauth_remotes[provider].userinfo()
        return {'username': self.helper(me.json()), 'email': me.data['mail'], 'role_keys': more['groups']}
    def auth_user_oauth(self, userinfo):
        user = super(Own, self).auth_user_oauth(userinfo)
        if user is None:
            return None
        role = self.find_role('Admin')
        if user.username in self.admins and role not in user.roles:
            user.roles.append(role)
        user.first_name = 'Ada'
        self.update_user(user)
        self.get_session.commit()
        return user
F = Own
",
        &[],
    );
    let function = &config.functions["F"];
    assert_eq!(function.foreign_overrides(), Ok(Vec::new()));
    let manager = Manager { providers: vec!["corp".into()], ..Manager::default() };
    let run = |method: &str, arguments: Vec<Json>, known: &[(Question, Json)]| {
        let mut answers = Arc::new(Answers::new());
        loop {
            match function.call_method(method, &manager, &arguments, &answers).unwrap() {
                Outcome::Done(value) => return value,
                Outcome::Asks(question) => {
                    let (_, answer) = known.iter().find(|(q, _)| *q == question).unwrap();
                    Arc::make_mut(&mut answers).push((question, answer.clone()));
                }
            }
        }
    };
    let get = Question::Get { provider: "corp".into(), path: "me?a=b%20c".into() };
    let said = run(
        "oauth_user_info",
        vec![json!("corp"), json!({})],
        &[
            (get.clone(), json!({"status": 200, "text": "{\"name\": \"ADA\", \"mail\": \"a@x\"}"})),
            (Question::UserInfo { provider: "corp".into() }, json!({"groups": ["g"]})),
        ],
    );
    assert_eq!(said, json!({"username": "ada", "email": "a@x", "role_keys": ["g"]}));
    let failed = Arc::new(vec![(get, json!({"status": 500, "text": "oops"}))]);
    let error =
        function.call_method("oauth_user_info", &manager, &[json!("corp"), json!({})], &failed).unwrap_err();
    assert!(error.text.contains("status 500") && error.line == 10, "{error}");

    let admit =
        Question::Admit { method: "auth_user_oauth".into(), arguments: vec![json!({"username": "ada"})] };
    let gamma = json!({"id": 4, "name": "Gamma"});
    let user = json!({"id": 7, "username": "ada", "first_name": "A", "active": true, "roles": [gamma]});
    let admin = (Question::Role("Admin".into()), json!({"id": 1, "name": "Admin"}));
    let changed =
        run("auth_user_oauth", vec![json!({"username": "ada"})], &[(admit.clone(), user), admin.clone()]);
    assert_eq!(changed["roles"], json!([gamma, {"id": 1, "name": "Admin"}]));
    assert_eq!((&changed["first_name"], &changed["id"]), (&json!("Ada"), &json!(7)));
    assert_eq!(
        run("auth_user_oauth", vec![json!({"username": "ada"})], &[(admit, json!(null)), admin]),
        json!(null)
    );
}

#[test]
fn what_else_a_security_manager_overrides() {
    let of = |source: &str| {
        let head = "from superset.security import SupersetSecurityManager\n\
                    from flask_appbuilder.security.views import AuthOAuthView\n";
        let config = read_with(&format!("{head}{source}"), &[]);
        config.functions["F"].foreign_overrides()
    };
    let names = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        of(
            "class F_(SupersetSecurityManager):\n    def can_access(self, a, b):\n        return True\n    x = 1\n\
            F = F_\n"
        ),
        names(&["can_access"])
    );
    assert_eq!(
        of(
            "class V(AuthOAuthView):\n    pass\nclass F_(SupersetSecurityManager):\n    authoauthview = V\n    \
            def __init__(self, a):\n        self.x = 1\nF = F_\n"
        ),
        names(&["authoauthview", "__init__"])
    );
    assert!(of("class F_:\n    def oauth_user_info(self, p, r):\n        pass\nF = F_\n").is_err());
}

#[test]
fn methods_end_whatever_they_do() {
    let config = read_with(
        "import requests
from superset.security import SupersetSecurityManager
class Own(SupersetSecurityManager):
    def oauth_user_info(self, provider, response=None):
        if provider == 'loop':
            while True:
                try:
                    provider += 'x' * 1000
                except Exception:
                    pass
        if provider == 'net':
            try:
                return requests.get('http://127.0.0.1/').json()
            except Exception:
                return {'username': 'admin'}
        if provider == 'many':
            for i in range(1000):
                self.oauth_remotes['many'].get('x' + str(i))
        return self.oauth_remotes['elsewhere'].get('me').json()
F = Own
",
        &[],
    );
    let function = &config.functions["F"];
    let manager = Manager { providers: vec!["many".into()], ..Manager::default() };
    let ask = |provider: &str| {
        let mut answers = Arc::new(Answers::new());
        loop {
            match function.call_method("oauth_user_info", &manager, &[json!(provider)], &answers) {
                Ok(Outcome::Asks(q)) => {
                    Arc::make_mut(&mut answers).push((q, json!({"status": 200, "text": "{}"})))
                }
                Ok(Outcome::Done(value)) => panic!("{value}"),
                Err(error) => return error.to_string(),
            }
        }
    };
    assert!(ask("loop").contains("too"), "{}", ask("loop"));
    assert!(ask("net").contains("line 13: requests.get(…) is not there in liteset"), "{}", ask("net"));
    assert!(ask("many").contains("it asks for too much"), "{}", ask("many"));
    assert!(ask("other").contains("KeyError"), "{}", ask("other"));
}

#[test]
fn mails_are_changed() {
    let config = read_with(
        "def F(msg, **kwargs):
    if 'Subject' in msg:
        subject = msg['subject']
        del msg['Subject']
        msg['Subject'] = f\"[{kwargs['notification_type']}] {subject}\"
    msg.add_header('X-Owner', kwargs['owners'][0].username)
    msg.replace_header('To', 'x@example.com')
    return msg
",
        &[],
    );
    let fields = [("Subject", "One"), ("To", "a@example.com")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let owner = json!({"id": 1, "username": "ada"}).as_object().unwrap().clone();
    let named = vec![
        ("owners", Input::Objects("user", vec![owner])),
        ("notification_type", Input::Data(json!("Report"))),
    ];
    let done =
        config.functions["F"].call(vec![Input::Message(fields.into())], named, &Caller::default()).unwrap();
    let want = json!([["To", "x@example.com"], ["Subject", "[Report] One"], ["X-Owner", "ada"]]);
    assert_eq!(done["fields"], want);
}
