using Polder.Overlay;
using Polder.Overlay.Streams;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>A stream of a session for code off the loop: every read and write hops there and back. Failures are <see cref="IOException"/>s.</summary>
internal sealed class SessionByteStream(NodeHost host, PeerStream stream) : Stream
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _disposed;

    /// <summary>Done when it was disposed: who accepted the stream holds it until then.</summary>
    public Task Ended => _ended.Task;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try { return await host.Environment.Loop.InvokeAsync(async () => await stream.ReadAsync(buffer, cancellationToken)).ConfigureAwait(false); }
        catch (PeerStreamException problem) { throw new IOException("The stream ended.", problem); }
        catch (OperationCanceledException) { throw new OperationCanceledException(cancellationToken); }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await host.Environment.Loop.InvokeAsync(async () =>
            {
                await stream.WriteAsync(buffer, cancellationToken);
                return true;
            }).ConfigureAwait(false);
        }
        catch (PeerStreamException problem) { throw new IOException("The stream ended.", problem); }
        catch (OperationCanceledException) { throw new OperationCanceledException(cancellationToken); }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read asynchronously.");
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is written asynchronously.");
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await host.Environment.Loop.InvokeAsync(async () =>
            {
                await stream.DisposeAsync();
                return true;
            }).ConfigureAwait(false);
            _ended.TrySetResult();
        }
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            host.Environment.Loop.Post(() => _ = stream.DisposeAsync().AsTask());
            _ended.TrySetResult();
        }
        base.Dispose(disposing);
    }
}
