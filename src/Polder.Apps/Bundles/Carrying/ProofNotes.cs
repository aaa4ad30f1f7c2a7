using System.Buffers.Binary;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Cryptography;
using Polder.Wire;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>That a letter which went through our hands arrived: with its proof, so that others who hold copies can let go of them, too.</summary>
internal sealed record ProofNote(LetterId Id, DeliveryProof Proof, uint Expires, long Order);

/// <summary>Proofs that letters arrived, the newest of them, until the letters have expired.</summary>
internal sealed class ProofNotes(IMailStore store)
{
    private readonly Dictionary<ulong, ProofNote> _byHead = [];
    private readonly Queue<ProofNote> _order = new();
    private long _last;

    public int Count => _byHead.Count;

    /// <summary>The number of the newest; each has one more.</summary>
    public long Last => _last;

    public ProofNote? Find(ulong head) => _byHead.GetValueOrDefault(head);

    /// <summary>Those that are newer than a number, oldest first, at most so many.</summary>
    public IEnumerable<ProofNote> After(long order, int most) => _order.Where(note => note.Order > order && _byHead.ContainsKey(note.Id.Head)).Take(most);

    public void Add(LetterId id, DeliveryProof proof, uint expires)
    {
        if (_byHead.ContainsKey(id.Head)) return;
        while (_byHead.Count >= MailLimits.NotesMax && _order.TryDequeue(out var oldest)) Remove(oldest);
        Index(id, proof, expires);
        var bytes = new byte[36];
        proof.Value.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(32), expires);
        store.Put(MailShelf.Notes, id.Hash.ToArray(), bytes);
    }

    public void Prune(uint now)
    {
        while (_order.TryPeek(out var oldest) && !_byHead.ContainsKey(oldest.Id.Head)) _order.Dequeue();
        foreach (var note in _byHead.Values.Where(note => note.Expires < now).ToArray()) Remove(note);
    }

    /// <remarks><code>
    /// offset  size  field
    ///      0    32  proof
    ///     32     4  the letter expires, seconds since 1970
    /// </code></remarks>
    public void Load(MailThing thing)
    {
        var reader = new WireReader(thing.Value);
        var proof = reader.ReadBytes(Hash256.Bytes);
        var expires = reader.ReadUInt32();
        if (reader.Finish() && thing.Key.Length == LetterId.Bytes) Index(new LetterId(new(thing.Key)), new DeliveryProof(new(proof)), expires);
    }

    private void Index(LetterId id, DeliveryProof proof, uint expires)
    {
        var note = new ProofNote(id, proof, expires, ++_last);
        if (_byHead.TryAdd(id.Head, note)) _order.Enqueue(note);
    }

    private void Remove(ProofNote note)
    {
        if (!_byHead.Remove(note.Id.Head)) return;
        store.Remove(MailShelf.Notes, note.Id.Hash.ToArray());
    }
}
