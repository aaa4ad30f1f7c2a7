using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Simulation.Scenarios;

/// <summary>A node of the scenario <c>chat</c>: the chat as it is, over letters that travel as datagrams and are sent until they are acknowledged.</summary>
internal sealed class ChatNode : ILetters, IChatPeople
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(4);

    private readonly SimulatedNode _node;
    private readonly Shelf _shelf;
    private readonly HashSet<LetterId> _taking = [];
    private Func<Letter, Task<bool>>? _handler;

    /// <summary>What of the letters survives a crash.</summary>
    private sealed class Shelf
    {
        public SortedDictionary<LetterId, (PublicKey To, byte[] Body)> Open { get; } = [];
        public HashSet<LetterId> Done { get; } = [];
    }

    public ChatNode(SimulatedNode node)
    {
        _node = node;
        _shelf = node.Disk.Surface("letters", static () => new Shelf());
        Store = new MemoryChatStore(node.Disk.Surface("chat", static () => new MemoryChatPlatter()), node.Disk.CommitAsync);
        Chat = new ChatService(new ChatParts(node.Identity, node.Environment.Random, node.Environment.Signatures, node.Environment.Time, Store, this, this));
        node.Socket.Received = Take;
        _ = node.Environment.Time.CreateTimer(_ => SendAgain(), null, Again / 2, Again);
        _ = node.Environment.Time.CreateTimer(_ => _ = Chat.TickAsync(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    public IChatStore Store { get; }
    public ChatService Chat { get; }
    public int OpenLetters => _shelf.Open.Count;

    public event Action<LetterId>? StateChanged;

    public async Task<LetterId> PostAsync(PublicKey to, ReadOnlyMemory<byte> body)
    {
        var salt = new byte[32];
        _node.Environment.Random.Fill(salt);
        var id = new LetterId(new Hash256(salt));
        await _node.Disk.CommitAsync(1);
        _shelf.Open[id] = (to, body.ToArray());
        Send(id);
        return id;
    }

    public LetterState StateOf(LetterId id) => new(_shelf.Done.Contains(id) ? LetterStage.Delivered : _shelf.Open.ContainsKey(id) ? LetterStage.OnlyHere : LetterStage.Unknown, []);
    public void MarkSeen(LetterId id) { }
    public void Receive(Func<Letter, Task<bool>> handler) => _handler = handler;
    public string NameOf(PublicKey key) => key.ShortName;
    public bool IsContact(PublicKey key) => true;
    public bool IsBlocked(PublicKey key) => false;

    private void SendAgain()
    {
        foreach (var id in _shelf.Open.Keys.ToArray()) Send(id);
    }

    // Receipt or letter (1), its name (32), a checksum (32), who (2), the body.
    private void Send(LetterId id)
    {
        var (to, body) = _shelf.Open[id];
        var bytes = new byte[67 + body.Length];
        bytes[0] = 1;
        id.Hash.CopyTo(bytes.AsSpan(1));
        bytes[66] = (byte)_node.Index;
        body.CopyTo(bytes, 67);
        Checksum(bytes).CopyTo(bytes.AsSpan(33));
        _node.Socket.Send(_node.World.Nodes.First(other => other.Identity.Public == to).PublicEndpoint, bytes);
    }

    private static Hash256 Checksum(byte[] bytes)
    {
        var copy = bytes.ToArray();
        copy.AsSpan(33, 32).Clear();
        return Hash256.Of(copy);
    }

    private void Take(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        // The mail-bag's seal stands behind this checksum: what was damaged on the way is nothing.
        var bytes = datagram.ToArray();
        if (bytes.Length < 67 || Checksum(bytes) != new Hash256(bytes.AsSpan(33, 32))) return;
        var id = new LetterId(new Hash256(bytes.AsSpan(1, 32)));
        if (bytes[0] == 1) _ = TakeAsync(id, _node.World.Nodes[bytes[66]], bytes[67..]);
        else if (_shelf.Open.Remove(id))
        {
            _shelf.Done.Add(id);
            StateChanged?.Invoke(id);
        }
    }

    private async Task TakeAsync(LetterId id, SimulatedNode from, byte[] body)
    {
        if (!_taking.Add(id)) return;
        try
        {
            if (!await _handler!(new Letter(id, from.Identity.Public, LetterKinds.Chat, body, _node.Environment.Time.GetUtcNow(), 1))) return;
        }
        finally { _taking.Remove(id); }
        var receipt = new byte[67];
        receipt[0] = 2;
        id.Hash.CopyTo(receipt.AsSpan(1));
        Checksum(receipt).CopyTo(receipt.AsSpan(33));
        _node.Socket.Send(from.PublicEndpoint, receipt);
    }
}
