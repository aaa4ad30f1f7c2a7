using Polder.Overlay;
using Polder.Wire;

namespace Polder.Lab;

/// <summary>Asks whether words get through. Message 1, answered by 2 with the same number.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  number
///      4     n  filling
/// </code></remarks>
public readonly record struct Call(uint Number) : IMessage<Call>
{
    static byte IMessage<Call>.Number => 1;
    public static Call Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Number);
}

/// <summary>The answer to a <see cref="Call"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  number of the call
/// </code></remarks>
public readonly record struct Echo(uint Number) : IMessage<Echo>
{
    static byte IMessage<Echo>.Number => 2;
    public static Echo Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Number);
}

/// <summary>The overlay of one cell: whoever is met is called until it answers, as py-ipv8's peers do in ipv8_cell.py.</summary>
public sealed class LabCommunity : Community
{
    private static readonly TimeSpan CallInterval = TimeSpan.FromMilliseconds(200);

    private readonly Action<string, Peer> _tell;
    private readonly HashSet<Peer> _met = [], _answered = [];
    private readonly HashSet<uint> _open = [];
    private uint _number;

    /// <summary><paramref name="tell"/> hears "peer" (it proved itself), "called" (its words came) and "pong" (our words came back).</summary>
    public LabCommunity(CommunityContext context, CommunityId id, Action<string, Peer> tell) : base(id, context)
    {
        _tell = tell;
        On<Call>((peer, call) =>
        {
            Send(peer, new Echo(call.Number));
            _tell("called", peer);
        });
        On<Echo>((peer, echo) =>
        {
            if (_open.Remove(echo.Number)) return;
            if (_answered.Add(peer)) _tell("pong", peer);
        });
        Every(CallInterval, CallAll);
    }

    /// <summary>Calls a peer now; its echo is told as "pong".</summary>
    public void Hail(Peer peer)
    {
        _answered.Remove(peer);
        Send(peer, new Call(++_number));
    }

    /// <summary>Calls a peer so often a second for so long, and gives how many calls were made and answered within two seconds more.</summary>
    public async Task<(int Sent, int Answered)> CallAsync(Peer peer, int perSecond, TimeSpan time)
    {
        var (begun, sent) = (Now, 0);
        while (Now - begun < time)
        {
            for (; sent < (Now - begun).TotalSeconds * perSecond; sent++)
            {
                _open.Add(++_number);
                Send(peer, new Call(_number));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), Environment.Time);
        }
        await Task.Delay(TimeSpan.FromSeconds(2), Environment.Time);
        var lost = _open.Count;
        _open.Clear();
        return (sent, sent - lost);
    }

    protected override void OnIntroduced(Peer peer)
    {
        if (!_met.Add(peer)) return;
        _tell("peer", peer);
        Hail(peer);
    }

    protected override void OnForgotten(Peer peer)
    {
        _met.Remove(peer);
        _answered.Remove(peer);
        _tell("lost", peer);
    }

    private void CallAll()
    {
        foreach (var peer in Peers)
            if (!_answered.Contains(peer)) Send(peer, new Call(++_number));
    }
}
