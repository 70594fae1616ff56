//! Methods of containers, and the way to those of other built-in types.

use ruff_text_size::TextSize;

use super::{
    builtins,
    error::{Done, Problem},
    interp::Interp,
    lib_os, lib_text, lib_time, records, text_methods,
    value::{Arguments, Dict, Key, Value},
};

/// There is such a method, as far as one can say without calling it.
pub(super) fn has(value: &Value, name: &str) -> bool {
    let names: &[&str] = match value {
        Value::Str(_) => text_methods::NAMES,
        Value::Bytes(_) => &["decode", "hex", "split", "strip", "startswith", "endswith", "replace"],
        Value::List(_) => &[
            "append", "extend", "insert", "remove", "pop", "clear", "index", "count", "sort", "reverse",
            "copy",
        ],
        Value::Tuple(_) => &["index", "count"],
        Value::Dict(_) | Value::Environ | Value::Module(_) => {
            &["get", "keys", "values", "items", "update", "pop", "setdefault", "copy", "clear", "popitem"]
        }
        Value::Set(_) => &[
            "add",
            "update",
            "remove",
            "discard",
            "pop",
            "clear",
            "union",
            "intersection",
            "difference",
            "copy",
            "issubset",
            "issuperset",
            "isdisjoint",
            "symmetric_difference",
        ],
        Value::Record(record) => return records::has_method(record, name),
        Value::Regex(_) => &["match", "search", "fullmatch", "sub", "split", "findall", "finditer"],
        Value::Match(_) => &["group", "groups", "groupdict", "start", "end", "span"],
        Value::File(..) => &["read", "readline", "readlines", "close"],
        Value::Path(_) => lib_os::PATH_METHODS,
        Value::Datetime(..) | Value::Date(_) | Value::Timedelta(_) => lib_time::METHODS,
        Value::Int(_) => &["bit_length"],
        Value::Float(_) => &["is_integer"],
        _ => &[],
    };
    names.contains(&name)
}

impl Interp<'_> {
    /// A method of a value of a built-in type.
    pub(super) fn method(
        &mut self,
        value: &Value,
        name: &str,
        arguments: Arguments,
        at: TextSize,
    ) -> Done<Value> {
        if let Some(why) = arguments.unknown()
            && !matches!(name, "append" | "insert" | "setdefault" | "get")
        {
            return self.unknown(&why, at);
        }
        let done = match value {
            Value::Str(text) => text_methods::call(self, text, name, &arguments, at),
            Value::Bytes(bytes) => text_methods::of_bytes(self, bytes, name, &arguments, at),
            Value::List(_) => self.list_method(value, name, &arguments, at),
            Value::Tuple(all) => self.sequence_method(all, name, &arguments, at),
            Value::Dict(dict) => self.dict_method(value, dict, name, &arguments, at),
            Value::Set(_) => self.set_method(value, name, &arguments, at),
            Value::Environ | Value::Module(_) => self.namespace_method(value, name, &arguments, at),
            Value::Path(_) | Value::File(..) => lib_os::method(self, value, name, &arguments, at),
            Value::Regex(_) | Value::Match(_) => lib_text::method(self, value, name, &arguments, at),
            Value::Timedelta(_) | Value::Datetime(..) | Value::Date(_) => {
                lib_time::method(self, value, name, &arguments, at)
            }
            Value::Record(record) => records::method(self, record, name, &arguments, at),
            Value::Float(f) if name == "is_integer" => Some(Ok(Value::Bool(f.fract() == 0.0))),
            Value::Int(i) if name == "bit_length" => {
                Some(Ok(Value::Int(i128::from(128 - i.unsigned_abs().leading_zeros()))))
            }
            _ => None,
        };
        match done {
            Some(done) => done,
            // an attribute that can be called
            None => match super::library::member(value, name) {
                Some(callee) if !matches!(callee, Value::Bound(_)) => self.call(&callee, arguments, at),
                _ => {
                    let text = format!("{} has no method '{name}' with these arguments", value.what());
                    self.raise(Problem::safe("AttributeError", text), at)
                }
            },
        }
    }

    fn list_method(
        &mut self,
        value: &Value,
        name: &str,
        arguments: &Arguments,
        at: TextSize,
    ) -> Option<Done<Value>> {
        let Value::List(list) = value else { return None };
        let args = &arguments.positional[..];
        let range = || Problem::safe("IndexError", "list index out of range");
        Some(Ok(match (name, args) {
            ("append", [one]) => {
                if let Err(fault) = self.spend(32, at) {
                    return Some(Err(fault));
                }
                list.lock().push(one.clone());
                Value::None
            }
            ("extend", [more]) => match self.iterate(more, at) {
                Ok(more) => {
                    list.lock().extend(more);
                    Value::None
                }
                Err(fault) => return Some(Err(fault)),
            },
            ("insert", [place, one]) => {
                let mut list = list.lock();
                let len = list.len() as i128;
                let place = place.integer()?;
                let place = if place < 0 { (place + len).max(0) } else { place.min(len) };
                list.insert(usize::try_from(place).unwrap_or(0), one.clone());
                Value::None
            }
            ("remove", [one]) => {
                let all = list.lock().clone();
                match all.iter().position(|v| v.equals(one)) {
                    Some(place) => {
                        let mut list = list.lock();
                        if place < list.len() {
                            list.remove(place);
                        }
                        Value::None
                    }
                    None => {
                        return Some(
                            self.raise(Problem::safe("ValueError", "the value is not in the list"), at),
                        );
                    }
                }
            }
            ("pop", []) => match list.lock().pop() {
                Some(last) => last,
                None => return Some(self.raise(range(), at)),
            },
            ("pop", [place]) => {
                let mut list = list.lock();
                let len = list.len();
                match super::operate::position(place.integer()?, len) {
                    Some(place) => list.remove(place),
                    None => return Some(self.raise(range(), at)),
                }
            }
            ("clear", []) => {
                list.lock().clear();
                Value::None
            }
            ("reverse", []) => {
                list.lock().reverse();
                Value::None
            }
            ("copy" | "__copy__", []) => Value::list(list.lock().clone()),
            ("sort", []) => {
                let mut all = list.lock().clone();
                if let Err(fault) = builtins::sort(self, &mut all, arguments, at) {
                    return Some(Err(fault));
                }
                *list.lock() = all;
                Value::None
            }
            _ => {
                let all = list.lock().clone();
                return self.sequence_method(&all, name, arguments, at);
            }
        }))
    }

    fn sequence_method(
        &mut self,
        all: &[Value],
        name: &str,
        arguments: &Arguments,
        at: TextSize,
    ) -> Option<Done<Value>> {
        let one = arguments.positional.first()?;
        Some(match name {
            "index" => match all.iter().position(|v| v.equals(one)) {
                Some(place) => Ok(Value::Int(place as i128)),
                None => self.raise(Problem::safe("ValueError", "the value is not there"), at),
            },
            "count" => Ok(Value::Int(all.iter().filter(|v| v.equals(one)).count() as i128)),
            _ => return None,
        })
    }

    fn dict_method(
        &mut self,
        value: &Value,
        dict: &Dict,
        name: &str,
        arguments: &Arguments,
        at: TextSize,
    ) -> Option<Done<Value>> {
        let args = &arguments.positional[..];
        let pairs = || {
            let items = dict.items.lock();
            items.iter().map(|(k, v)| Value::Tuple(vec![k.0.clone(), v.clone()].into())).collect()
        };
        if matches!(name, "keys" | "values" | "items" | "copy") {
            let count = dict.items.lock().len();
            if let Err(fault) = self.steps(count, at).and_then(|()| self.spend(count * 32, at)) {
                return Some(Err(fault));
            }
        }
        Some(Ok(match (name, args) {
            ("get", [key, rest @ ..]) => {
                let found = dict.items.lock().get(&Key(key.clone())).cloned();
                found.unwrap_or_else(|| {
                    rest.first().or(arguments.named("default")).cloned().unwrap_or(Value::None)
                })
            }
            ("keys", []) => Value::list(dict.items.lock().keys().map(|k| k.0.clone()).collect()),
            ("values", []) => Value::list(dict.items.lock().values().cloned().collect()),
            ("items", []) => Value::list(pairs()),
            ("copy", []) => Value::dict(dict.items.lock().iter().map(|(k, v)| (k.0.clone(), v.clone()))),
            ("clear", []) => {
                dict.items.lock().clear();
                Value::None
            }
            ("update", _) => {
                if let Some(other) = args.first()
                    && let Err(fault) = self.update(value, other, at)
                {
                    return Some(Err(fault));
                }
                for (name, new) in &arguments.named {
                    dict.items.lock().insert(Key(Value::text(name)), new.clone());
                }
                Value::None
            }
            ("setdefault", [key, rest @ ..]) => {
                let default = rest.first().cloned().unwrap_or(Value::None);
                dict.items.lock().entry(Key(key.clone())).or_insert(default).clone()
            }
            ("pop", [key, rest @ ..]) => {
                let gone = dict.items.lock().shift_remove(&Key(key.clone()));
                match gone.or_else(|| rest.first().cloned()) {
                    Some(gone) => gone,
                    None => return Some(self.raise(Problem::hidden("KeyError", key.to_text()), at)),
                }
            }
            ("popitem", []) => match dict.items.lock().pop() {
                Some((key, value)) => Value::Tuple(vec![key.0, value].into()),
                None => return Some(self.raise(Problem::safe("KeyError", "the dictionary is empty"), at)),
            },
            ("most_common", rest) => {
                let mut all: Vec<(Key, Value)> = dict.items.lock().clone().into_iter().collect();
                all.sort_by_key(|(_, v)| std::cmp::Reverse(v.integer()));
                all.truncate(rest.first().and_then(Value::integer).map_or(usize::MAX, |n| n as usize));
                Value::list(all.into_iter().map(|(k, v)| Value::Tuple(vec![k.0, v].into())).collect())
            }
            _ => return None,
        }))
    }

    /// `os.environ` and `globals()`.
    fn namespace_method(
        &mut self,
        value: &Value,
        name: &str,
        arguments: &Arguments,
        at: TextSize,
    ) -> Option<Done<Value>> {
        let args = &arguments.positional[..];
        let find = |this: &Self, key: &str| match value {
            Value::Environ => this.world.environment.lock().get(key).map(Value::text),
            Value::Module(frame) => frame.names.lock().get(key).cloned(),
            _ => None,
        };
        Some(match (name, args) {
            ("get", [Value::Str(key), rest @ ..]) => Ok(find(self, key).unwrap_or_else(|| {
                rest.first().or(arguments.named("default")).cloned().unwrap_or(Value::None)
            })),
            ("setdefault", [Value::Str(key), rest @ ..]) => match find(self, key) {
                Some(found) => Ok(found),
                None => {
                    let default = rest.first().cloned().unwrap_or(Value::None);
                    let key = Value::Str(key.clone());
                    self.set_item(value, key, default.clone(), at).map(|()| default)
                }
            },
            ("update", _) => {
                let pairs = Value::dict([]);
                let mut done = args.first().map_or(Ok(()), |other| self.update(&pairs, other, at));
                for (name, new) in &arguments.named {
                    done = done.and_then(|()| self.set_item(&pairs, Value::text(name), new.clone(), at));
                }
                done.and_then(|()| self.update(value, &pairs, at)).map(|()| Value::None)
            }
            ("pop", [key, rest @ ..]) => {
                let found = key.as_str().and_then(|k| find(self, k));
                match (found, rest.first()) {
                    (None, Some(default)) => Ok(default.clone()),
                    (found, _) => self.delete_item(value, key, at).map(|()| found.unwrap_or(Value::None)),
                }
            }
            ("keys" | "items" | "values" | "copy", []) => {
                let dict = Value::dict([]);
                let done = self.update(&dict, value, at);
                done.and_then(|()| match name {
                    "copy" => Ok(dict.clone()),
                    name => self.method(&dict, name, Arguments::default(), at),
                })
            }
            _ => return None,
        })
    }

    fn set_method(
        &mut self,
        value: &Value,
        name: &str,
        arguments: &Arguments,
        at: TextSize,
    ) -> Option<Done<Value>> {
        let Value::Set(set) = value else { return None };
        let args = &arguments.positional[..];
        let mut others = Vec::new();
        if !matches!(name, "add" | "discard" | "remove") {
            for arg in args {
                match self.iterate(arg, at) {
                    Ok(all) => others.extend(all.into_iter().map(Key)),
                    Err(fault) => return Some(Err(fault)),
                }
            }
        }
        let plain = |all: Vec<Key>| Value::set(all.into_iter().map(|k| k.0));
        let own = set.lock().clone();
        Some(Ok(match (name, args) {
            ("add", [one]) if one.is_hashable() => {
                set.lock().insert(Key(one.clone()));
                Value::None
            }
            ("discard", [one]) => {
                set.lock().shift_remove(&Key(one.clone()));
                Value::None
            }
            ("remove", [one]) => {
                if !set.lock().shift_remove(&Key(one.clone())) {
                    return Some(self.raise(Problem::hidden("KeyError", one.to_text()), at));
                }
                Value::None
            }
            ("update", _) => {
                set.lock().extend(others);
                Value::None
            }
            ("difference_update", _) => {
                set.lock().retain(|k| !others.contains(k));
                Value::None
            }
            ("clear", []) => {
                set.lock().clear();
                Value::None
            }
            ("pop", []) => match set.lock().pop() {
                Some(key) => key.0,
                None => return Some(self.raise(Problem::safe("KeyError", "the set is empty"), at)),
            },
            ("copy", []) => plain(own.into_iter().collect()),
            ("union", _) => plain(own.into_iter().chain(others).collect()),
            ("intersection", _) => plain(own.into_iter().filter(|k| others.contains(k)).collect()),
            ("difference", _) => plain(own.into_iter().filter(|k| !others.contains(k)).collect()),
            ("symmetric_difference", _) => {
                let right: Vec<Key> = others.iter().filter(|k| !own.contains(*k)).cloned().collect();
                plain(own.into_iter().filter(|k| !others.contains(k)).chain(right).collect())
            }
            ("issubset", _) => Value::Bool(own.iter().all(|k| others.contains(k))),
            ("issuperset", _) => Value::Bool(others.iter().all(|k| own.contains(k))),
            ("isdisjoint", _) => Value::Bool(!others.iter().any(|k| own.contains(k))),
            _ => return None,
        }))
    }
}
