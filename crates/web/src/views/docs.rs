//! `/api/docs`: the JSON API as people read it.

use askama::Template;

use super::Theme;

/// `/api/docs`, drawn from the OpenAPI document. It is the same for everyone, signed in or not.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "docs/docs.html")]
pub struct Docs {
    /// From the cookie `theme`.
    pub theme: Theme,
    /// The document's version.
    pub version: String,
    /// Where the API is: `https://gate.example/api/v1`.
    pub base_url: String,
    /// Where the document is.
    pub document_url: String,
    /// Operations by what they are about.
    pub groups: Vec<OperationGroup>,
}

/// Operations about one thing.
#[derive(Clone, Debug, Default)]
pub struct OperationGroup {
    /// The thing: `Members`.
    pub name: String,
    /// The fragment of the URL that leads to it: `members`.
    pub anchor: String,
    /// What can be done with it.
    pub operations: Vec<Operation>,
}

/// One method on one path.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The operation's id, unique on the page.
    pub id: String,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// More about it; may be empty.
    pub description: String,
    /// The action a key has to be allowed: `members:write`; may be empty.
    pub needs: String,
    /// Path, query and header parameters.
    pub parameters: Vec<Parameter>,
    /// The body's schema as text; empty where there is none.
    pub body: String,
    /// Answers by status.
    pub answers: Vec<Answer>,
}

/// A parameter.
#[derive(Clone, Debug, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// What it holds: `string`, `integer`.
    pub kind: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it is for.
    pub description: String,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: String,
    /// When it is given.
    pub description: String,
    /// The body's schema as text; empty where there is none.
    pub body: String,
}
