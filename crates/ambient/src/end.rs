use std::{
    io,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How close two wishes to end are one.
const SAME_WISH: Duration = Duration::from_secs(1);

/// The wish that the program end. It wants a runtime of tokio.
#[derive(Debug)]
pub struct End {
    terminate: Signal,
    interrupt: Signal,
}

/// How it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGTERM, as whatever looks after services sends it.
    Terminate,
    /// SIGINT, as a terminal sends it for Ctrl-C.
    Interrupt,
}

impl End {
    /// Hears it from now on.
    ///
    /// # Errors
    /// When the system lets nobody hear signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for it.
    pub async fn asked(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Terminate,
            _ = self.interrupt.recv() => Wish::Interrupt,
        }
    }

    /// Waits for it to be repeated. What comes within a second from now is still the one before, told by two: a terminal and
    /// its shell, a process group and its leader.
    pub async fn asked_again(&mut self) {
        let before = Instant::now();
        self.asked().await;
        while before.elapsed() < SAME_WISH {
            self.asked().await;
        }
    }
}
