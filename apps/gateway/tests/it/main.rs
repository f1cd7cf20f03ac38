//! A gateway on another host, as its operator and its callers meet it: the program itself, beside a control plane.

mod host;
mod obeys;
mod outage;
mod plane;
