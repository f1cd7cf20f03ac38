//! A gateway on another host, as its operator and its callers meet it: the program itself, beside a control plane.

#[cfg(test)]
mod history;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of faults do more with it")]
mod host;
#[cfg(test)]
mod limits;
#[cfg(test)]
#[expect(dead_code, reason = "the benchmark prints how long it took")]
mod load;
#[cfg(test)]
mod obeys;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod plane;
#[cfg(test)]
mod strangers;
