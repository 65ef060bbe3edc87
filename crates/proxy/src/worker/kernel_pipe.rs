//! Pipes of the kernel, through which bytes go from socket to socket without being copied to user
//! space and back (`splice`). There are few of them, so whoever gets none copies instead.

use std::io;
use std::os::fd::OwnedFd;

/// Bytes that a pipe is asked to hold. Measured: 64 KiB 1.7 GB/s, 256 KiB 2.0, 1 MiB 2.1 to 2.6.
#[cfg(target_os = "linux")]
const CAPACITY: usize = 1 << 20;

/// Pipes of one worker at once. An unprivileged user may have 64 MiB of pipes; beyond, new ones
/// hold less, which costs speed and nothing else.
const MOST: usize = 24;

/// Pipes that are kept for the next who needs one.
const KEPT: usize = 4;

/// A pipe of the kernel with the bytes in it.
#[derive(Debug)]
pub(super) struct KernelPipe {
    read: OwnedFd,
    write: OwnedFd,
    /// How many bytes are in it.
    pub(super) held: usize,
    /// The last transfer into it was small: copying is cheaper for what follows.
    pub(super) small: bool,
}

/// The pipes of one worker.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Vec<KernelPipe>,
    lent: usize,
}

impl Pool {
    pub(super) const fn new() -> Self {
        Self {
            idle: Vec::new(),
            lent: 0,
        }
    }

    /// An empty pipe, if there is one to be had.
    pub(super) fn lend(&mut self) -> Option<KernelPipe> {
        if self.lent >= MOST {
            return None;
        }
        let pipe = self.idle.pop().or_else(|| KernelPipe::new().ok())?;
        self.lent += 1;
        Some(pipe)
    }

    /// Takes a pipe back; one with bytes in it, of a connection that is over, is closed.
    pub(super) fn take_back(&mut self, mut pipe: KernelPipe) {
        pipe.small = false;
        self.lent = self.lent.saturating_sub(1);
        if pipe.held == 0 && self.idle.len() < KEPT {
            self.idle.push(pipe);
        }
    }
}

#[cfg(target_os = "linux")]
impl KernelPipe {
    fn new() -> io::Result<Self> {
        use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Not permitted beyond the user's budget: then it holds 64 KiB.
        let _ = fcntl_setpipe_size(&write, CAPACITY);
        Ok(Self {
            read,
            write,
            held: 0,
            small: false,
        })
    }

    /// Moves what a socket has into the empty pipe, and says how much: 0 at its end.
    pub(super) fn fill(&mut self, from: &OwnedFd) -> rustix::io::Result<usize> {
        use rustix::pipe::{SpliceFlags, splice};
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let moved = splice(from, None, &self.write, None, CAPACITY, flags)?;
        self.held += moved;
        Ok(moved)
    }

    /// Moves what is in the pipe to a socket, as far as the socket takes it, and says how much.
    pub(super) fn drain(&mut self, to: &OwnedFd) -> rustix::io::Result<usize> {
        use rustix::pipe::{SpliceFlags, splice};
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let moved = splice(&self.read, None, to, None, self.held, flags)?;
        self.held = self.held.saturating_sub(moved);
        Ok(moved)
    }
}

/// Elsewhere there is no splice, and so no pipe is ever lent.
#[cfg(not(target_os = "linux"))]
impl KernelPipe {
    fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn fill(&mut self, _: &OwnedFd) -> rustix::io::Result<usize> {
        Err(rustix::io::Errno::NOSYS)
    }

    pub(super) fn drain(&mut self, _: &OwnedFd) -> rustix::io::Result<usize> {
        Err(rustix::io::Errno::NOSYS)
    }
}

impl KernelPipe {
    /// Reads bytes that are in the pipe back into user space: the hand-over to a fault.
    pub(super) fn read(&mut self, into: &mut [u8]) -> rustix::io::Result<usize> {
        let wanted = self.held.min(into.len());
        let read = rustix::io::read(&self.read, into.get_mut(..wanted).unwrap_or_default())?;
        self.held = self.held.saturating_sub(read);
        Ok(read)
    }
}
