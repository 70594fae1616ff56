//! Tokens to a document (`yaml.parser`, `yaml.composer`, `yaml.constructor:SafeConstructor`).

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    error::{ErrorKind, Mark, Problem, YamlError},
    scalar::{self, Tag},
    scan::{MAX_DEPTH, Scanned, Scanner},
    token::{Directive, Kind, Token},
    value::{Key, Map, Yaml},
};
use crate::python;

/// Bytes of one document.
const MAX_TEXT: usize = 32 << 20;
/// What a document may weigh once its aliases are replaced: a node is one, and so are so many bytes of text.
const MAX_WEIGHT: usize = 4_000_000;
const TEXT_WEIGHT: usize = 32;

/// The only document of a text; null for an empty one (`yaml.safe_load`).
///
/// Fails with PyYAML's text, and for documents that are too large, nest too deep, or grow too large by aliases.
pub fn load(text: &str) -> Result<Yaml, YamlError> {
    if text.len() > MAX_TEXT {
        return Err(limit(format!("the document is larger than {} MB", MAX_TEXT >> 20)));
    }
    let mut reader = Reader {
        scanner: Scanner::new(text)?,
        handles: HashMap::new(),
        anchors: HashMap::new(),
        depth: 0,
        weight: 0,
        deferred: None,
    };
    let value = reader.single_document()?;
    match reader.deferred {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

fn limit(text: String) -> YamlError {
    YamlError { kind: ErrorKind::Limit, text }
}

/// A node as it was read.
#[derive(Debug, Clone)]
struct Node {
    value: Yaml,
    /// `<<` and `=` mean something as keys only.
    special: Option<Tag>,
    depth: usize,
    weight: usize,
    start: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar,
    Sequence,
    Mapping,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sequence => "sequence",
            Self::Mapping => "mapping",
        }
    }
}

/// A value before its tag makes something of it.
enum Raw {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// What precedes a node.
#[derive(Default)]
struct Properties {
    anchor: Option<String>,
    tag: Option<String>,
    start: Option<Mark>,
}

/// Where a node stands: what it may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Block,
    /// A list may stand there without being indented.
    BlockOrIndentless,
    Flow,
}

struct Reader {
    scanner: Scanner,
    handles: HashMap<String, String>,
    /// Anchors with their nodes; none while the node is being read.
    anchors: HashMap<String, (Mark, Option<Node>)>,
    depth: usize,
    weight: usize,
    /// The first value that its tag cannot make sense of: PyYAML looks after the whole text is read.
    deferred: Option<YamlError>,
}

/// Takes over what is not there yet: earlier mappings win.
fn merge(into: &mut Map, from: Map) {
    for (key, value) in from {
        into.entry(key).or_insert(value);
    }
}

impl Reader {
    fn is(&mut self, of: impl Fn(&Kind) -> bool) -> Scanned<bool> {
        Ok(of(&self.scanner.peek()?.kind))
    }

    fn error<T>(
        &self,
        kind: ErrorKind,
        context: Option<(&str, Mark)>,
        problem: &str,
        at: Mark,
    ) -> Scanned<T> {
        let context = context.map(|(text, since)| (text, Some(since)));
        Err(Problem { kind, context, problem, at: Some(at) }.error(&self.scanner.text))
    }

    /// A parser's error about the next token.
    fn unexpected<T>(&mut self, context: Option<(&str, Mark)>, expected: &str) -> Scanned<T> {
        let Token { kind, start } = self.scanner.peek()?.clone();
        self.error(ErrorKind::Parser, context, &format!("{expected} {}", python::str_repr(kind.id())), start)
    }

    fn defer(&mut self, context: Option<(&str, Mark)>, problem: &str, at: Mark) -> Yaml {
        if self.deferred.is_none() {
            self.deferred = self.error::<()>(ErrorKind::Constructor, context, problem, at).err();
        }
        Yaml::Null
    }

    fn single_document(&mut self) -> Scanned<Yaml> {
        self.scanner.next()?;
        self.default_handles();
        let explicit =
            self.is(|k| matches!(k, Kind::Directive(_) | Kind::DocumentStart | Kind::StreamEnd))?;
        let node = if explicit {
            if self.is(|k| *k == Kind::StreamEnd)? {
                return Ok(Yaml::Null);
            }
            self.document_start()?;
            if self.is(|k| {
                matches!(k, Kind::Directive(_) | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd)
            })? {
                let at = self.scanner.peek()?.start;
                self.empty(at)
            } else {
                self.node(At::Block)?
            }
        } else {
            self.node(At::Block)?
        };
        while self.is(|k| *k == Kind::DocumentEnd)? {
            self.scanner.next()?;
        }
        if !self.is(|k| *k == Kind::StreamEnd)? {
            let another = self.document_start()?;
            let context = Some(("expected a single document in the stream", node.start));
            return self.error(ErrorKind::Composer, context, "but found another document", another);
        }
        Ok(self.plain_value(node))
    }

    fn default_handles(&mut self) {
        self.handles.entry("!".into()).or_insert_with(|| "!".into());
        self.handles.entry("!!".into()).or_insert_with(|| "tag:yaml.org,2002:".into());
    }

    /// Directives and `---`; where they begin.
    fn document_start(&mut self) -> Scanned<Mark> {
        let start = self.scanner.peek()?.start;
        self.handles.clear();
        let mut version = false;
        while self.is(|k| matches!(k, Kind::Directive(_)))? {
            let Token { kind: Kind::Directive(directive), start } = self.scanner.next()? else { break };
            match directive {
                Directive::Yaml(_) if version => {
                    return self.error(ErrorKind::Parser, None, "found duplicate YAML directive", start);
                }
                Directive::Yaml(1) => version = true,
                Directive::Yaml(_) => {
                    let problem = "found incompatible YAML document (version 1.* is required)";
                    return self.error(ErrorKind::Parser, None, problem, start);
                }
                Directive::Tag(handle, prefix) => {
                    if self.handles.contains_key(&handle) {
                        let problem = format!("duplicate tag handle {}", python::str_repr(&handle));
                        return self.error(ErrorKind::Parser, None, &problem, start);
                    }
                    self.handles.insert(handle, prefix);
                }
                Directive::Other => {}
            }
        }
        self.default_handles();
        if !self.is(|k| *k == Kind::DocumentStart)? {
            return self.unexpected(None, "expected '<document start>', but found");
        }
        self.scanner.next()?;
        Ok(start)
    }

    fn empty(&mut self, at: Mark) -> Node {
        self.weight += 1;
        Node { value: Yaml::Null, special: None, depth: 1, weight: 1, start: at }
    }

    fn node(&mut self, at: At) -> Scanned<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(limit(format!("the document nests deeper than {MAX_DEPTH} levels")));
        }
        let node = self.node_here(at);
        self.depth -= 1;
        node
    }

    fn node_here(&mut self, at: At) -> Scanned<Node> {
        if self.is(|k| matches!(k, Kind::Alias(_)))? {
            let Token { kind: Kind::Alias(name), start } = self.scanner.next()? else {
                return Ok(self.empty(Mark::default()));
            };
            return self.alias(&name, start);
        }
        let properties = self.properties()?;
        let start = match properties.start {
            Some(start) => start,
            None => self.scanner.peek()?.start,
        };
        if let Some(name) = &properties.anchor {
            if let Some((first, _)) = self.anchors.get(name) {
                let context = format!("found duplicate anchor {}; first occurrence", python::str_repr(name));
                return self.error(ErrorKind::Composer, Some((&context, *first)), "second occurrence", start);
            }
            self.anchors.insert(name.clone(), (start, None));
        }
        let raw = self.content(at, &properties, start)?;
        let node = self.construct(raw, properties.tag.as_deref(), start)?;
        if let Some(name) = properties.anchor {
            self.anchors.insert(name, (start, Some(node.clone())));
        }
        Ok(node)
    }

    fn alias(&mut self, name: &str, at: Mark) -> Scanned<Node> {
        let Some((_, node)) = self.anchors.get(name) else {
            let problem = format!("found undefined alias {}", python::str_repr(name));
            return self.error(ErrorKind::Composer, None, &problem, at);
        };
        let Some(node) = node else {
            return self.error(ErrorKind::Constructor, None, "found unconstructable recursive node", at);
        };
        if self.depth + node.depth > MAX_DEPTH {
            return Err(limit(format!("the document nests deeper than {MAX_DEPTH} levels")));
        }
        let weight = self.weight + node.weight;
        if weight > MAX_WEIGHT {
            return Err(limit("the document grows too large by its aliases".into()));
        }
        let node = node.clone();
        self.weight = weight;
        Ok(node)
    }

    fn properties(&mut self) -> Scanned<Properties> {
        let mut found = Properties::default();
        let mut tag = None;
        for _ in 0..2 {
            let is_new = |k: &Kind| match k {
                Kind::Anchor(_) => found.anchor.is_none(),
                Kind::Tag(..) => tag.is_none(),
                _ => false,
            };
            if !self.is(is_new)? {
                break;
            }
            let Token { kind, start } = self.scanner.next()?;
            found.start.get_or_insert(start);
            match kind {
                Kind::Anchor(name) => found.anchor = Some(name),
                Kind::Tag(handle, suffix) => tag = Some((handle, suffix, start)),
                _ => {}
            }
        }
        found.tag = match tag {
            None => None,
            Some((None, suffix, _)) => Some(suffix),
            Some((Some(handle), suffix, at)) => match self.handles.get(&handle) {
                Some(prefix) => Some(format!("{prefix}{suffix}")),
                None => {
                    let since = Some(("while parsing a node", found.start.unwrap_or(at)));
                    let problem = format!("found undefined tag handle {}", python::str_repr(&handle));
                    return self.error(ErrorKind::Parser, since, &problem, at);
                }
            },
        };
        Ok(found)
    }

    fn content(&mut self, at: At, properties: &Properties, start: Mark) -> Scanned<Raw> {
        let block = at != At::Flow;
        if at == At::BlockOrIndentless && self.is(|k| *k == Kind::BlockEntry)? {
            return self.indentless_sequence();
        }
        match self.scanner.peek()?.kind {
            Kind::Scalar { .. } => match self.scanner.next()?.kind {
                Kind::Scalar { text, plain } => Ok(Raw::Scalar { text, plain }),
                _ => Ok(Raw::Scalar { text: String::new(), plain: true }),
            },
            Kind::FlowSequenceStart => self.flow_sequence(),
            Kind::FlowMappingStart => self.flow_mapping(),
            Kind::BlockSequenceStart if block => self.block_sequence(),
            Kind::BlockMappingStart if block => self.block_mapping(),
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                Ok(Raw::Scalar { text: String::new(), plain: true })
            }
            _ => {
                let context = if block { "while parsing a block node" } else { "while parsing a flow node" };
                self.unexpected(Some((context, start)), "expected the node content, but found")
            }
        }
    }

    fn indentless_sequence(&mut self) -> Scanned<Raw> {
        let mut items = Vec::new();
        while self.is(|k| *k == Kind::BlockEntry)? {
            let at = self.entry_end()?;
            let empty =
                self.is(|k| matches!(k, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd))?;
            items.push(if empty { self.empty(at) } else { self.node(At::Block)? });
        }
        Ok(Raw::Sequence(items))
    }

    /// Takes an indicator; the place after it.
    fn entry_end(&mut self) -> Scanned<Mark> {
        let start = self.scanner.next()?.start;
        Ok(Mark { index: start.index + 1, line: start.line, column: start.column + 1 })
    }

    fn block_sequence(&mut self) -> Scanned<Raw> {
        let start = self.scanner.next()?.start;
        let mut items = Vec::new();
        while self.is(|k| *k == Kind::BlockEntry)? {
            let at = self.entry_end()?;
            let empty = self.is(|k| matches!(k, Kind::BlockEntry | Kind::BlockEnd))?;
            items.push(if empty { self.empty(at) } else { self.node(At::Block)? });
        }
        if !self.is(|k| *k == Kind::BlockEnd)? {
            let context = Some(("while parsing a block collection", start));
            return self.unexpected(context, "expected <block end>, but found");
        }
        self.scanner.next()?;
        Ok(Raw::Sequence(items))
    }

    fn block_mapping(&mut self) -> Scanned<Raw> {
        let start = self.scanner.next()?.start;
        let mut entries = Vec::new();
        let ends = |k: &Kind| matches!(k, Kind::Key | Kind::Value | Kind::BlockEnd);
        while self.is(|k| *k == Kind::Key)? {
            let at = self.entry_end()?;
            let key = if self.is(ends)? { self.empty(at) } else { self.node(At::BlockOrIndentless)? };
            let value = if self.is(|k| *k == Kind::Value)? {
                let at = self.entry_end()?;
                if self.is(ends)? { self.empty(at) } else { self.node(At::BlockOrIndentless)? }
            } else {
                let at = self.scanner.peek()?.start;
                self.empty(at)
            };
            entries.push((key, value));
        }
        if !self.is(|k| *k == Kind::BlockEnd)? {
            let context = Some(("while parsing a block mapping", start));
            return self.unexpected(context, "expected <block end>, but found");
        }
        self.scanner.next()?;
        Ok(Raw::Mapping(entries))
    }

    fn flow_sequence(&mut self) -> Scanned<Raw> {
        let start = self.scanner.next()?.start;
        let mut items = Vec::new();
        while !self.is(|k| *k == Kind::FlowSequenceEnd)? {
            if !items.is_empty() {
                if !self.is(|k| *k == Kind::FlowEntry)? {
                    let context = Some(("while parsing a flow sequence", start));
                    return self.unexpected(context, "expected ',' or ']', but got");
                }
                self.scanner.next()?;
            }
            if self.is(|k| *k == Kind::Key)? {
                // `[a: 1]` is a list of one mapping
                let start = self.scanner.peek()?.start;
                let entry = self.flow_entry(&Kind::FlowSequenceEnd)?;
                items.push(self.construct(Raw::Mapping(vec![entry]), None, start)?);
            } else if !self.is(|k| *k == Kind::FlowSequenceEnd)? {
                items.push(self.node(At::Flow)?);
            }
        }
        self.scanner.next()?;
        Ok(Raw::Sequence(items))
    }

    /// A key and its value, either of which may be missing.
    fn flow_entry(&mut self, end: &Kind) -> Scanned<(Node, Node)> {
        let at = self.entry_end()?;
        let bare = self.is(|k| *k == Kind::Value || *k == Kind::FlowEntry || k == end)?;
        let key = if bare { self.empty(at) } else { self.node(At::Flow)? };
        if !self.is(|k| *k == Kind::Value)? {
            let at = self.scanner.peek()?.start;
            return Ok((key, self.empty(at)));
        }
        let at = self.entry_end()?;
        let bare = self.is(|k| *k == Kind::FlowEntry || k == end)?;
        let value = if bare { self.empty(at) } else { self.node(At::Flow)? };
        Ok((key, value))
    }

    fn flow_mapping(&mut self) -> Scanned<Raw> {
        let start = self.scanner.next()?.start;
        let mut entries = Vec::new();
        while !self.is(|k| *k == Kind::FlowMappingEnd)? {
            if !entries.is_empty() {
                if !self.is(|k| *k == Kind::FlowEntry)? {
                    let context = Some(("while parsing a flow mapping", start));
                    return self.unexpected(context, "expected ',' or '}', but got");
                }
                self.scanner.next()?;
            }
            if self.is(|k| *k == Kind::Key)? {
                entries.push(self.flow_entry(&Kind::FlowMappingEnd)?);
            } else if !self.is(|k| *k == Kind::FlowMappingEnd)? {
                let key = self.node(At::Flow)?;
                let at = self.scanner.peek()?.start;
                entries.push((key, self.empty(at)));
            }
        }
        self.scanner.next()?;
        Ok(Raw::Mapping(entries))
    }

    fn construct(&mut self, raw: Raw, tag: Option<&str>, start: Mark) -> Scanned<Node> {
        let (depth, inner) = match &raw {
            Raw::Scalar { text, .. } => (0, text.len() / TEXT_WEIGHT),
            Raw::Sequence(items) => {
                let depth = items.iter().map(|n| n.depth).max().unwrap_or(0);
                (depth, items.iter().map(|n| n.weight).sum())
            }
            Raw::Mapping(entries) => {
                let nodes = entries.iter().flat_map(|(k, v)| [k, v]);
                (nodes.clone().map(|n| n.depth).max().unwrap_or(0), nodes.map(|n| n.weight).sum())
            }
        };
        self.weight += if depth == 0 { inner + 1 } else { 1 };
        if self.weight > MAX_WEIGHT {
            return Err(limit("the document is too large".into()));
        }
        let mut special = None;
        let value = match (raw, tag.filter(|t| *t != "!")) {
            (Raw::Scalar { text, plain }, None) => {
                // `! x` is a text of its own kind: resolved as a plain one
                let resolved = if plain || tag.is_some() { scalar::resolve(&text) } else { Tag::Str };
                special = matches!(resolved, Tag::Merge | Tag::Value).then_some(resolved);
                self.resolved(text, resolved, start)
            }
            (Raw::Sequence(items), None) => self.sequence(items),
            (Raw::Mapping(entries), None) => self.mapping(entries, start),
            (raw, Some(tag)) => self.tagged(raw, tag, start),
        };
        Ok(Node { value, special, depth: depth + 1, weight: inner + 1, start })
    }

    /// The value of a node that is no key: `<<` and `=` have none.
    fn plain_value(&mut self, node: Node) -> Yaml {
        match node.special {
            Some(Tag::Merge) => self.undefined("tag:yaml.org,2002:merge", node.start),
            Some(Tag::Value) => self.undefined("tag:yaml.org,2002:value", node.start),
            _ => node.value,
        }
    }

    fn undefined(&mut self, tag: &str, at: Mark) -> Yaml {
        let problem = format!("could not determine a constructor for the tag {}", python::str_repr(tag));
        self.defer(None, &problem, at)
    }

    /// Python's own exception, which has no place.
    fn python_error(&mut self, text: &str) -> Yaml {
        if self.deferred.is_none() {
            self.deferred = Some(YamlError { kind: ErrorKind::Constructor, text: text.to_owned() });
        }
        Yaml::Null
    }

    fn resolved(&mut self, text: String, tag: Tag, start: Mark) -> Yaml {
        match tag {
            Tag::Null => Yaml::Null,
            Tag::Bool => match scalar::boolean(&text) {
                Some(value) => Yaml::Bool(value),
                None => self.python_error(&python::str_repr(&text.to_lowercase())),
            },
            Tag::Int => match scalar::integer(&text) {
                Some(value) => value,
                None => {
                    let shown = python::str_repr(&text);
                    self.python_error(&format!("invalid literal for int() with base 10: {shown}"))
                }
            },
            Tag::Float => match scalar::float(&text) {
                Some(value) => Yaml::Float(value),
                None => {
                    let shown = python::str_repr(&text);
                    self.python_error(&format!("could not convert string to float: {shown}"))
                }
            },
            Tag::Timestamp => match scalar::timestamp(&text) {
                Ok(value) => value,
                Err(problem) => self.python_error(problem),
            },
            Tag::Yaml => self.undefined("tag:yaml.org,2002:yaml", start),
            Tag::Str | Tag::Merge | Tag::Value => Yaml::Text(text),
        }
    }

    fn sequence(&mut self, items: Vec<Node>) -> Yaml {
        Yaml::List(items.into_iter().map(|n| self.plain_value(n)).collect())
    }

    fn mapping(&mut self, entries: Vec<(Node, Node)>, start: Mark) -> Yaml {
        let context = "while constructing a mapping";
        let (mut merged, mut own) = (Map::new(), Vec::new());
        for (key, value) in entries {
            if key.special != Some(Tag::Merge) {
                own.push((key, value));
                continue;
            }
            let at = value.start;
            match value.value {
                Yaml::Map(map) => merge(&mut merged, map),
                Yaml::List(items) => {
                    for item in items {
                        let Yaml::Map(map) = item else {
                            let problem = "expected a mapping for merging, but found scalar";
                            self.defer(Some((context, start)), problem, at);
                            continue;
                        };
                        merge(&mut merged, map);
                    }
                }
                _ => {
                    let problem = "expected a mapping or list of mappings for merging, but found scalar";
                    self.defer(Some((context, start)), problem, at);
                }
            }
        }
        for (key, value) in own {
            let at = key.start;
            let value = self.plain_value(value);
            match key.value.into_key() {
                Some(key) => {
                    merged.insert(key, value);
                }
                None => {
                    self.defer(Some((context, start)), "found unhashable key", at);
                }
            }
        }
        Yaml::Map(merged)
    }

    fn tagged(&mut self, raw: Raw, tag: &str, start: Mark) -> Yaml {
        let Some(name) = tag.strip_prefix("tag:yaml.org,2002:") else { return self.undefined(tag, start) };
        let wants = match name {
            "null" | "bool" | "int" | "float" | "binary" | "timestamp" | "str" => Shape::Scalar,
            "seq" | "omap" | "pairs" => Shape::Sequence,
            "map" | "set" => Shape::Mapping,
            _ => return self.undefined(tag, start),
        };
        match (raw, wants) {
            (Raw::Scalar { text, .. }, Shape::Scalar) => self.tagged_scalar(text, name, start),
            (Raw::Sequence(items), Shape::Sequence) if name == "seq" => self.sequence(items),
            (Raw::Sequence(items), Shape::Sequence) => self.pairs(items, name, start),
            (Raw::Mapping(entries), Shape::Mapping) => {
                let value = self.mapping(entries, start);
                match value {
                    Yaml::Map(map) if name == "set" => Yaml::Set(map.into_keys().collect()),
                    value => value,
                }
            }
            (raw, wants) => {
                let found = match raw {
                    Raw::Scalar { .. } => Shape::Scalar,
                    Raw::Sequence(_) => Shape::Sequence,
                    Raw::Mapping(_) => Shape::Mapping,
                };
                let problem = format!("expected a {} node, but found {}", wants.name(), found.name());
                self.defer(None, &problem, start)
            }
        }
    }

    fn tagged_scalar(&mut self, text: String, name: &str, start: Mark) -> Yaml {
        match name {
            "null" => Yaml::Null,
            "bool" => self.resolved(text, Tag::Bool, start),
            "int" => self.resolved(text, Tag::Int, start),
            "float" => self.resolved(text, Tag::Float, start),
            "timestamp" => self.resolved(text, Tag::Timestamp, start),
            "binary" => {
                let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                match STANDARD.decode(dense) {
                    Ok(bytes) => Yaml::Bytes(bytes),
                    Err(_) => {
                        let problem = "failed to decode base64 data: Incorrect padding";
                        self.defer(None, problem, start)
                    }
                }
            }
            _ => Yaml::Text(text),
        }
    }

    /// `!!omap`, `!!pairs`: lists of mappings of one entry; tuples in Python, lists here.
    fn pairs(&mut self, items: Vec<Node>, name: &str, start: Mark) -> Yaml {
        let context =
            if name == "omap" { "while constructing an ordered map" } else { "while constructing pairs" };
        let mut pairs = Vec::new();
        for item in items {
            let at = item.start;
            match item.value {
                Yaml::Map(map) if map.len() == 1 => {
                    let of = |key: Key| match key {
                        Key::Text(text) => Yaml::Text(text),
                        key => Yaml::Text(key.repr()),
                    };
                    pairs.extend(map.into_iter().map(|(k, v)| Yaml::List(vec![of(k), v])));
                }
                Yaml::Map(map) => {
                    let problem = format!("expected a single mapping item, but found {} items", map.len());
                    self.defer(Some((context, start)), &problem, at);
                }
                _ => {
                    let problem = "expected a mapping of length 1, but found scalar";
                    self.defer(Some((context, start)), problem, at);
                }
            }
        }
        Yaml::List(pairs)
    }
}
