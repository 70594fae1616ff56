//! Formatting for people: comments stay. sqlglot keeps them with the token before them, as `/* … */`.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Whitespace};

use super::{
    dialect::{SqlDialect, dialect},
    lex,
    parse::{ParseError, parse},
};

/// Tokens that printing may add between two of the source (`AS`, `INNER`, parentheses).
const MAX_ADDED: usize = 6;

/// Pretty-prints a script with its comments (`SQLScript.format`).
pub fn format_with_comments(sql: &str, engine: &str) -> Result<String, ParseError> {
    let dialect = dialect(engine);
    let printed = match parse(sql, engine) {
        Ok(script) => script.format(),
        // sqlglot takes the braces of a template for structs
        Err(error) => match structs(sql, dialect).map(|text| parse(&text, engine)) {
            Some(Ok(script)) => return Ok(script.format()),
            _ => return Err(error),
        },
    };
    let Some(source) = tokens(sql, dialect) else { return Ok(printed) };
    if !source.iter().any(|token| comment(&token.token).is_some()) {
        return Ok(printed);
    }
    let target = tokens(&printed, dialect).unwrap_or_default();
    Ok(inserted(&source, &target, &printed).unwrap_or_else(|| {
        let comments = source.iter().filter_map(|token| comment(&token.token));
        comments.chain([printed.clone()]).collect::<Vec<_>>().join("\n")
    }))
}

fn tokens(sql: &str, dialect: SqlDialect) -> Option<Vec<TokenWithSpan>> {
    let all = lex::tokens(sql, dialect).ok()?;
    let counts = |token: &TokenWithSpan| match &token.token {
        Token::Whitespace(_) => comment(&token.token).is_some(),
        Token::SemiColon | Token::EOF => false,
        _ => true,
    };
    Some(all.into_iter().filter(counts).collect())
}

fn comment(token: &Token) -> Option<String> {
    let text = match token {
        Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => comment,
        Token::Whitespace(Whitespace::MultiLineComment(comment)) => comment,
        _ => return None,
    };
    Some(format!("/* {} */", text.trim().replace("*/", "* /")))
}

/// The printed text with the comments behind the tokens they stood behind; none when the tokens do not match.
fn inserted(source: &[TokenWithSpan], target: &[TokenWithSpan], printed: &str) -> Option<String> {
    let mut at: Vec<(usize, String)> = Vec::new();
    let (mut place, mut next) = (0, 0);
    for token in source {
        if let Some(text) = comment(&token.token) {
            at.push((place, text));
            continue;
        }
        let wanted = token.token.to_string();
        let ahead = target.get(next..)?.iter().take(MAX_ADDED);
        let found = ahead.map(|t| t.token.to_string()).position(|t| t.eq_ignore_ascii_case(&wanted))?;
        place = offset(printed, target.get(next + found)?.span.end)?;
        next += found + 1;
    }
    let mut out = String::with_capacity(printed.len() + 64);
    let mut done = 0;
    for (place, text) in at {
        out.push_str(printed.get(done..place)?);
        if place == 0 {
            out.push_str(&format!("{text}\n"));
        } else {
            out.push_str(&format!(" {text}"));
        }
        done = place;
    }
    out.push_str(printed.get(done..)?);
    Some(out)
}

/// The byte where a location lies.
fn offset(text: &str, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i))
}

/// The text with braces as calls of STRUCT; none when it has no braces.
fn structs(sql: &str, dialect: SqlDialect) -> Option<String> {
    let all = lex::tokens(sql, dialect).ok()?;
    if !all.iter().any(|token| token.token == Token::LBrace) {
        return None;
    }
    let text = all.iter().map(|token| match &token.token {
        Token::LBrace => "STRUCT(".to_owned(),
        Token::RBrace => ")".to_owned(),
        other => other.to_string(),
    });
    Some(text.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_where_they_were() {
        let shown = |sql: &str| format_with_comments(sql, "postgresql").unwrap();
        assert_eq!(
            shown("-- top\nselect a, -- first\n b /* second */ from t; select 2 -- end"),
            "/* top */\nSELECT\n  a, /* first */\n  b /* second */\nFROM t;\nSELECT\n  2 /* end */"
        );
        assert_eq!(shown("select a x -- alias\nfrom t"), "SELECT\n  a AS x /* alias */\nFROM t");
        assert_eq!(shown("select '-- no comment'"), "SELECT\n  '-- no comment'");
        assert_eq!(shown("select 1 -- */ x"), "SELECT\n  1 /* * / x */");
    }

    #[test]
    fn templates_become_structs() {
        let shown = format_with_comments("select {{ x }} from t", "base").unwrap();
        assert_eq!(shown, "SELECT\n  STRUCT(STRUCT(x))\nFROM t");
    }
}
