namespace Polder.Overlay.Streams;

/// <summary>
/// The frames of one packet, kept until what it carries arrived. Counted: each stream frame in it is a user. Pooled for each thread,
/// because a node is one thread.
/// </summary>
internal sealed class PacketBuffer
{
    /// <summary>Room for the frames of the largest datagram that the usual sizes allow.</summary>
    private const int UsualBytes = 1536;
    private const int PooledMax = 2048;

    [ThreadStatic] private static Stack<PacketBuffer>? _pool;

    private int _users;

    private PacketBuffer(int bytes) => Bytes = GC.AllocateUninitializedArray<byte>(bytes);

    public byte[] Bytes { get; private set; }

    public static PacketBuffer Rent(int bytes)
    {
        var pool = _pool ??= new Stack<PacketBuffer>();
        if (bytes > UsualBytes || !pool.TryPop(out var buffer)) buffer = new PacketBuffer(Math.Max(bytes, UsualBytes));
        buffer._users = 1;
        return buffer;
    }

    public void AddUser() => _users++;

    public void Release()
    {
        if (--_users > 0) return;
        if (Bytes.Length == UsualBytes && _pool is { Count: < PooledMax } pool) pool.Push(this);
    }
}
