//! What a worker lends to the connection that it is busy with: scratch memory, buffers, kernel
//! pipes. All of it is taken only while bytes are in hand, so an idle connection holds none.

use super::kernel_pipe::Pool;
use crate::engine::Shared;
use bytes::{Bytes, BytesMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// The most that one read takes.
pub(super) const CHUNK: usize = 64 << 10;

/// Reads below this are copied to a buffer of their own size, so that holding a byte does not
/// hold a whole chunk.
const SMALL: usize = 16 << 10;

/// Chunks that are kept for reuse.
const KEPT: usize = 64;

/// One worker's means.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) engine: Arc<Shared>,
    /// For bytes that are sent as soon as they are received.
    pub(super) scratch: Box<[u8]>,
    pub(super) pipes: Pool,
    /// A file that is given up for a moment when there are no others.
    pub(super) reserve: Option<OwnedFd>,
    chunks: Vec<BytesMut>,
}

impl Context {
    pub(super) fn new(engine: Arc<Shared>) -> Self {
        let mut this = Self {
            engine,
            scratch: vec![0; CHUNK].into_boxed_slice(),
            pipes: Pool::new(),
            reserve: None,
            chunks: Vec::new(),
        };
        this.restore_reserve();
        this
    }

    /// Takes the reserve again after it was given up.
    pub(super) fn restore_reserve(&mut self) {
        if self.reserve.is_none() {
            self.reserve = std::fs::File::open("/dev/null").ok().map(OwnedFd::from);
        }
    }

    /// A chunk to read into, all of it initialised.
    pub(super) fn chunk(&mut self) -> BytesMut {
        self.chunks.pop().unwrap_or_else(|| BytesMut::zeroed(CHUNK))
    }

    /// The first `len` bytes of a chunk that was read into.
    pub(super) fn filled(&mut self, mut chunk: BytesMut, len: usize) -> Bytes {
        if len < SMALL {
            let bytes = Bytes::copy_from_slice(chunk.get(..len).unwrap_or_default());
            self.keep(chunk);
            return bytes;
        }
        chunk.truncate(len);
        chunk.freeze()
    }

    /// Takes back what was sent, for the next read if it is a whole chunk that nobody else holds.
    pub(super) fn spent(&mut self, bytes: Bytes) {
        if self.chunks.len() < KEPT
            && bytes.len() >= SMALL
            && let Ok(mut chunk) = bytes.try_into_mut()
            && chunk.capacity() >= CHUNK
        {
            chunk.resize(CHUNK, 0);
            self.chunks.push(chunk);
        }
    }

    fn keep(&mut self, chunk: BytesMut) {
        if self.chunks.len() < KEPT {
            self.chunks.push(chunk);
        }
    }
}
