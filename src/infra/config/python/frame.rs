//! Names in force: of a file, of a function that is being called, of the body of a class.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use ruff_text_size::TextSize;

use super::value::{Names, Value};

/// A file and its text. Files of a configuration are read once per start and never given back: functions keep their
/// bodies as long as the process lives.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    pub fn line(&self, at: TextSize) -> usize {
        self.text.as_bytes().iter().take(at.to_usize()).filter(|b| **b == b'\n').count() + 1
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub source: &'static Source,
    pub at: TextSize,
}

impl Place {
    pub fn path(&self) -> &Path {
        &self.source.path
    }
    pub fn line(&self) -> usize {
        self.source.line(self.at)
    }
}

/// What a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Class,
    Function,
}

/// Names that a function takes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    Global,
    Nonlocal,
}

/// Where a name of a file got its value.
pub(super) type Origin = (PathBuf, usize);

#[derive(Debug)]
pub(super) struct Frame {
    pub kind: Kind,
    pub source: &'static Source,
    pub names: Mutex<Names>,
    pub elsewhere: Mutex<HashMap<String, Elsewhere>>,
    /// The frame around it; none of a module.
    pub outer: Option<Arc<Frame>>,
    /// Where names of a module got their values.
    pub origins: Mutex<HashMap<String, Origin>>,
    /// Its dotted name, of a module.
    pub name: String,
}

impl Frame {
    pub fn module(source: &'static Source, name: &str) -> Arc<Self> {
        Arc::new(Self {
            kind: Kind::Module,
            source,
            names: Mutex::default(),
            elsewhere: Mutex::default(),
            outer: None,
            origins: Mutex::default(),
            name: name.to_owned(),
        })
    }

    pub fn inner(kind: Kind, outer: &Arc<Self>, source: &'static Source) -> Arc<Self> {
        Arc::new(Self {
            kind,
            source,
            names: Mutex::default(),
            elsewhere: Mutex::default(),
            outer: Some(outer.clone()),
            origins: Mutex::default(),
            name: String::new(),
        })
    }

    /// The frame of the file.
    pub fn globals(self: &Arc<Self>) -> Arc<Self> {
        let mut frame = self.clone();
        while let Some(outer) = frame.outer.clone() {
            frame = outer;
        }
        frame
    }

    /// The value of a name, looked for from the inside out; bodies of classes are seen from themselves only.
    pub fn find(self: &Arc<Self>, name: &str) -> Option<Value> {
        let mut frame = Some(self.clone());
        let mut is_first = true;
        while let Some(this) = frame {
            if is_first || this.kind != Kind::Class {
                let found = this.names.lock().get(name).cloned();
                if found.is_some() {
                    return found;
                }
            }
            is_first = false;
            frame = this.outer.clone();
        }
        None
    }

    /// The frame that an assignment to a name changes.
    pub fn owner(self: &Arc<Self>, name: &str) -> Arc<Self> {
        let elsewhere = self.elsewhere.lock().get(name).copied();
        match elsewhere {
            None => self.clone(),
            Some(Elsewhere::Global) => self.globals(),
            Some(Elsewhere::Nonlocal) => {
                let mut frame = self.outer.clone();
                while let Some(this) = frame {
                    if this.kind == Kind::Function && this.names.lock().contains_key(name) {
                        return this;
                    }
                    frame = this.outer.clone();
                }
                self.clone()
            }
        }
    }

    /// The nearest frame that functions made here look outwards from.
    pub fn closure(self: &Arc<Self>) -> Arc<Self> {
        match (&self.outer, self.kind) {
            (Some(outer), Kind::Class) => outer.closure(),
            _ => self.clone(),
        }
    }
}
