//! Functions and classes of a file, and how they are called.

use std::sync::Arc;

use parking_lot::Mutex;
use ruff_python_ast::{Expr, Parameters, Stmt};
use ruff_text_size::TextSize;

use super::{
    error::{Done, Fault, Problem, error, is_builtin, raise},
    frame::{Frame, Kind, Source},
    interp::{Flow, Interp},
    library,
    value::{Arguments, Class, Method, Object, Value, Wrapper},
};

/// What a function consists of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    Statements(&'static [Stmt]),
    Expression(&'static Expr),
}

#[derive(Debug)]
pub(super) struct Function {
    pub name: String,
    pub parameters: Option<&'static Parameters>,
    /// Values of the defaults, in the order of the parameters that have one.
    pub defaults: Vec<(String, Value)>,
    pub body: Body,
    pub closure: Arc<Frame>,
    pub source: &'static Source,
    pub is_generator: bool,
}

impl Interp<'_> {
    /// Calls anything that can be called.
    pub(super) fn call(&mut self, callee: &Value, arguments: Arguments, at: TextSize) -> Done<Value> {
        self.step(at)?;
        match callee {
            Value::Function(function) => self.call_function(function, arguments, at, None),
            Value::Bound(bound) => match &bound.1 {
                Method::Named(name) => self.method(&bound.0, name, arguments, at),
                Method::Function(inner) => {
                    let mut all = arguments;
                    all.positional.insert(0, bound.0.clone());
                    let home = self.home_of(&bound.0, inner);
                    match inner {
                        Value::Function(f) => self.call_function(f, all, at, home),
                        other => self.call(other, all, at),
                    }
                }
            },
            Value::Partial(partial) => {
                let mut all = partial.1.clone();
                all.positional.extend(arguments.positional);
                for (name, value) in arguments.named {
                    all.named.retain(|(n, _)| *n != name);
                    all.named.push((name, value));
                }
                self.call(&partial.0, all, at)
            }
            Value::Class(class) => self.instantiate(class, arguments, at),
            Value::Known(name) => library::call(self, name, arguments, at),
            Value::Object(object) => match object.class.find("__call__") {
                Some(function) => {
                    let bound = Value::Bound(Arc::new((callee.clone(), Method::Function(function))));
                    self.call(&bound, arguments, at)
                }
                None => self.raise(Problem::kind(format!("{} cannot be called", callee.what())), at),
            },
            Value::Wrapped(_, inner) => self.call(inner, arguments, at),
            Value::Unknown(why) => self.unknown(&format!("{why}(…)"), at),
            Value::Error(_) => Ok(callee.clone()),
            other => self.raise(Problem::kind(format!("{} cannot be called", other.what())), at),
        }
    }

    /// The class in which a method was found, for `super()`.
    fn home_of(&self, object: &Value, function: &Value) -> Option<Arc<Class>> {
        let class = match object {
            Value::Object(o) => &o.class,
            Value::Class(c) => c,
            _ => return None,
        };
        class.line().into_iter().find_map(|above| match above {
            Value::Class(c) => {
                let is_here = c.attributes.lock().values().any(|v| match v {
                    Value::Wrapped(_, inner) => inner.equals(function),
                    other => other.equals(function),
                });
                is_here.then_some(c)
            }
            _ => None,
        })
    }

    pub(super) fn call_function(
        &mut self,
        function: &Arc<Function>,
        arguments: Arguments,
        at: TextSize,
        home: Option<Arc<Class>>,
    ) -> Done<Value> {
        let frame = Frame::inner(Kind::Function, &function.closure, function.source);
        self.bind_parameters(function, &frame, arguments, at)?;
        if let Some(class) = home {
            frame.names.lock().insert("__class__".to_owned(), Value::Class(class));
        }
        self.deeper(at)?;
        let caller = std::mem::replace(&mut self.frame, frame.clone());
        if function.is_generator {
            self.yielded.push(Vec::new());
        }
        let done = match function.body {
            Body::Expression(expression) => self.eval(expression),
            Body::Statements(body) => self.block(body).map(|flow| match flow {
                Flow::Return(value) => value,
                _ => Value::None,
            }),
        };
        let yielded = if function.is_generator { self.yielded.pop() } else { None };
        self.frame = caller;
        self.shallower();
        // a function that stands in its own frame would keep it for ever
        let holds_itself = |v: &Value| matches!(v, Value::Function(f) if Arc::ptr_eq(&f.closure, &frame));
        if frame.names.lock().values().any(holds_itself) {
            self.circles.push(Arc::downgrade(&frame));
        }
        match (done, yielded) {
            (Ok(_), Some(items)) => Ok(Value::iterator(items)),
            (Err(Fault::Unclear(why, _)), _) => {
                // what it would have assigned is not known either
                self.assigned_by_function(function, &why);
                self.unknown(&why, at)
            }
            (done, _) => done,
        }
    }

    fn bind_parameters(
        &mut self,
        function: &Arc<Function>,
        frame: &Arc<Frame>,
        arguments: Arguments,
        at: TextSize,
    ) -> Done<()> {
        let wrong = |text: String| Problem::kind(format!("{}() {text}", function.name));
        let mut names = frame.names.lock();
        let default = |name: &str| function.defaults.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let Arguments { positional, mut named } = arguments;
        let Some(parameters) = function.parameters else {
            return if positional.is_empty() && named.is_empty() {
                Ok(())
            } else {
                Err(wrong("takes no arguments".to_owned()).at(self.frame.source, at))
            };
        };
        let mut given = positional.into_iter();
        let places = parameters.posonlyargs.iter().chain(&parameters.args);
        for (i, parameter) in places.enumerate() {
            let name = parameter.parameter.name.as_str();
            let by_name = named.iter().position(|(n, _)| n == name);
            let value = match (given.next(), by_name) {
                (Some(_), Some(_)) if i >= parameters.posonlyargs.len() => {
                    let text = format!("got multiple values for argument '{name}'");
                    return Err(wrong(text).at(self.frame.source, at));
                }
                (Some(value), _) => Some(value),
                (None, Some(found)) if i >= parameters.posonlyargs.len() => Some(named.remove(found).1),
                _ => default(name),
            };
            let Some(value) = value else {
                return Err(wrong(format!("misses its argument '{name}'")).at(self.frame.source, at));
            };
            names.insert(name.to_owned(), value);
        }
        let rest: Vec<Value> = given.collect();
        match &parameters.vararg {
            Some(all) => {
                names.insert(all.name.to_string(), Value::Tuple(rest.into()));
            }
            None if rest.is_empty() => {}
            None => {
                return Err(wrong("got too many positional arguments".to_owned()).at(self.frame.source, at));
            }
        }
        for parameter in &parameters.kwonlyargs {
            let name = parameter.parameter.name.as_str();
            let by_name = named.iter().position(|(n, _)| n == name);
            let value = by_name.map(|found| named.remove(found).1).or_else(|| default(name));
            let Some(value) = value else {
                return Err(wrong(format!("misses its argument '{name}'")).at(self.frame.source, at));
            };
            names.insert(name.to_owned(), value);
        }
        match &parameters.kwarg {
            Some(all) => {
                let rest = named.into_iter().map(|(n, v)| (Value::text(n), v));
                names.insert(all.name.to_string(), Value::dict(rest));
            }
            None => {
                if let Some((name, _)) = named.first() {
                    let text = format!("got an unexpected keyword argument '{name}'");
                    return Err(wrong(text).at(self.frame.source, at));
                }
            }
        }
        Ok(())
    }

    /// `Class(…)`.
    fn instantiate(&mut self, class: &Arc<Class>, arguments: Arguments, at: TextSize) -> Done<Value> {
        if class.is_enum() {
            let wanted = arguments.positional.first().cloned().unwrap_or(Value::None);
            let members: Vec<Value> = class.attributes.lock().values().cloned().collect();
            let found = members.into_iter().find(|m| m.enum_value().is_some_and(|v| v.equals(&wanted)));
            return match found {
                Some(member) => Ok(member),
                None => self.raise(Problem::hidden("ValueError", "not a member of the enumeration"), at),
            };
        }
        let is_error = class.line().iter().any(|b| matches!(b, Value::Known(n) if is_builtin(n)));
        let object = Arc::new(Object { class: class.clone(), attributes: Mutex::default() });
        let value = Value::Object(object.clone());
        if is_error {
            let all = Value::Tuple(arguments.positional.clone().into());
            object.attributes.lock().insert("args".to_owned(), all);
        }
        if let Some(initialise) = class.find("__init__") {
            let bound = Value::Bound(Arc::new((value.clone(), Method::Function(initialise))));
            self.call(&bound, arguments, at)?;
        } else if let Some(fields) = all_fields(class) {
            let mut given = arguments.positional.into_iter();
            let mut named = arguments.named;
            for field in fields {
                let by_name = named.iter().position(|(n, _)| *n == field);
                let value = given.next().or_else(|| by_name.map(|found| named.remove(found).1));
                let value = match value {
                    Some(value) => value,
                    None => match class.find(&field) {
                        Some(Value::Partial(made)) if is_field(&made.0) => self.field_default(&made.1, at)?,
                        Some(default) => default,
                        None => {
                            let text = format!("{}() misses its argument '{field}'", class.name);
                            return self.raise(Problem::kind(text), at);
                        }
                    },
                };
                object.attributes.lock().insert(field, value);
            }
        } else if !is_error
            && class.foreign().is_none()
            && !(arguments.positional.is_empty() && arguments.named.is_empty())
        {
            return self.raise(Problem::kind(format!("{}() takes no arguments", class.name)), at);
        }
        Ok(value)
    }

    fn field_default(&mut self, given: &Arguments, at: TextSize) -> Done<Value> {
        match (given.named("default"), given.named("default_factory")) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(make)) => self.call(&make.clone(), Arguments::default(), at),
            _ => self.raise(Problem::kind("a field without a value"), at),
        }
    }

    /// `value.name`.
    pub(super) fn attribute(&mut self, value: &Value, name: &str, at: TextSize) -> Done<Value> {
        let found = match value {
            Value::Object(object) => {
                let own = object.attributes.lock().get(name).cloned();
                if own.is_some() {
                    return Ok(own.unwrap_or(Value::None));
                }
                if name == "__class__" {
                    return Ok(Value::Class(object.class.clone()));
                }
                match object.class.find(name) {
                    Some(found) => return self.bind(value, found, at),
                    None => {
                        if let Some(above) = object.class.foreign() {
                            return self.unknown(&format!("{above}.{name}"), at);
                        }
                        None
                    }
                }
            }
            Value::Class(class) => match (class.find(name), name) {
                (Some(Value::Wrapped(Wrapper::Static, inner)), _) => Some((*inner).clone()),
                (Some(Value::Wrapped(Wrapper::Class, inner)), _) => {
                    Some(Value::Bound(Arc::new((value.clone(), Method::Function((*inner).clone())))))
                }
                (Some(found), _) => Some(found),
                (None, "__name__" | "__qualname__") => Some(Value::text(&class.name)),
                (None, "__dict__") => {
                    let all = class.attributes.lock().clone();
                    Some(Value::dict(all.into_iter().map(|(k, v)| (Value::text(k), v))))
                }
                (None, "__members__") if class.is_enum() => {
                    let all = class.attributes.lock().clone();
                    let members = all.into_iter().filter(|(_, v)| v.enum_value().is_some());
                    Some(Value::dict(members.map(|(k, v)| (Value::text(k), v))))
                }
                (None, _) => match class.foreign() {
                    Some(above) => return Ok(Value::known(format!("{above}.{name}"))),
                    None => None,
                },
            },
            Value::Super(parts) => {
                let found = parts.0.iter().find_map(|above| match above {
                    Value::Class(class) => class.attributes.lock().get(name).cloned(),
                    Value::Known(_) if name == "__init__" => Some(Value::known("object.__init__")),
                    Value::Known(above) => Some(Value::known(format!("{above}.{name}"))),
                    _ => None,
                });
                match found {
                    Some(found @ (Value::Function(_) | Value::Wrapped(..))) => {
                        return self.bind(&parts.1, found, at);
                    }
                    None if name == "__init__" => Some(Value::known("object.__init__")),
                    found => found,
                }
            }
            Value::Function(function) => match name {
                "__name__" | "__qualname__" => Some(Value::text(&function.name)),
                "__doc__" => Some(Value::None),
                "__module__" => Some(Value::text(&function.closure.globals().name)),
                _ => None,
            },
            Value::Module(frame) => {
                let found = frame.names.lock().get(name).cloned();
                match (found, name) {
                    (Some(found), _) => Some(found),
                    (None, "__file__") => Some(Value::text(frame.source.path.to_string_lossy())),
                    (None, "__name__") => Some(Value::text(&frame.name)),
                    (None, "__dict__") => Some(value.clone()),
                    (None, _) => self.submodule(frame, name, at)?,
                }
            }
            Value::Known(module) => return Ok(library::constant(self, module, name)),
            Value::Unknown(why) => return self.unknown(&format!("{why}.{name}"), at),
            Value::Record(record) => {
                let found = record.attributes.lock().get(name).cloned();
                match found {
                    Some(found) => Some(found),
                    None if super::records::has_method(record, name) => {
                        Some(Value::Bound(Arc::new((value.clone(), Method::Named(name.into())))))
                    }
                    None => return self.unknown(&format!("{}.{name}", record.kind), at),
                }
            }
            Value::Error(e) if name == "args" => Some(Value::Tuple(e.arguments.clone().into())),
            other => library::member(other, name),
        };
        match found {
            Some(found) => Ok(found),
            None => {
                let text = format!("{} has no attribute '{name}'", value.what());
                self.raise(Problem::safe("AttributeError", text), at)
            }
        }
    }

    /// A function of a class becomes a method of the object.
    fn bind(&mut self, object: &Value, found: Value, at: TextSize) -> Done<Value> {
        let method = |f: Value| Value::Bound(Arc::new((object.clone(), Method::Function(f))));
        match found {
            Value::Function(_) => Ok(method(found)),
            Value::Wrapped(Wrapper::Static, inner) => Ok((*inner).clone()),
            Value::Wrapped(Wrapper::Class, inner) => match object {
                Value::Object(o) => {
                    let class = Value::Class(o.class.clone());
                    Ok(Value::Bound(Arc::new((class, Method::Function((*inner).clone())))))
                }
                _ => Ok((*inner).clone()),
            },
            Value::Wrapped(Wrapper::Property, inner) => {
                self.call(&method((*inner).clone()), Arguments::default(), at)
            }
            other => Ok(other),
        }
    }

    /// `value.name = new`.
    pub(super) fn set_attribute(&mut self, value: &Value, name: &str, new: Value, at: TextSize) -> Done<()> {
        match value {
            Value::Object(object) => {
                object.attributes.lock().insert(name.to_owned(), new);
            }
            Value::Class(class) => {
                class.attributes.lock().insert(name.to_owned(), new);
            }
            Value::Module(frame) => self.set_name(&frame.clone(), name, new, at),
            Value::Record(record) => {
                record.attributes.lock().insert(name.to_owned(), new);
            }
            Value::Function(_) => {}
            Value::Known(_) | Value::Unknown(_) => {
                self.unknown(&format!("an assignment to {}.{name}", value.what()), at)?;
                self.note_statement(format!("an assignment to {}.{name} has no effect", value.what()), at);
            }
            other => {
                let text = format!("attributes of {} cannot be set", other.what());
                return Err(Problem::safe("AttributeError", text).at(self.frame.source, at));
            }
        }
        Ok(())
    }

    pub(super) fn raise<T>(&self, problem: Problem, at: TextSize) -> Done<T> {
        Err(problem.at(self.frame.source, at))
    }

    /// `raise value`.
    pub(super) fn raise_value(&mut self, value: &Value, at: TextSize) -> Fault {
        let made = match value {
            Value::Known(name) => Ok(error(super::error::plain(name), Vec::new(), None)),
            Value::Class(class) => self.instantiate(class, Arguments::default(), at),
            Value::Error(_) | Value::Object(_) => Ok(value.clone()),
            Value::Unknown(why) => Ok(error(why.trim_end_matches("(…)"), Vec::new(), None)),
            _ => Err(Problem::kind("exceptions must derive from BaseException").at(self.frame.source, at)),
        };
        match made {
            Ok(made) => raise(made, self.frame.source, at),
            Err(fault) => fault,
        }
    }
}

/// `dataclasses.field`.
fn is_field(callee: &Value) -> bool {
    matches!(callee, Value::Known(name) if &**name == "dataclasses.field")
}

/// The fields of a data class, those of the classes above it first.
fn all_fields(class: &Arc<Class>) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut is_data = false;
    for above in class.line().iter().rev() {
        if let Value::Class(class) = above
            && let Some(own) = &class.fields
        {
            is_data = true;
            for field in own {
                if !fields.contains(field) {
                    fields.push(field.clone());
                }
            }
        }
    }
    is_data.then_some(fields)
}
