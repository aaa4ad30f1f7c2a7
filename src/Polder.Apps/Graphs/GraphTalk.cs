using System.Buffers.Binary;
using Polder.Apps.Contacts;
using Polder.Graph.Exchange;
using Polder.Graph.Model;
using Polder.Graph.Sync;
using Polder.Overlay;
using Polder.Overlay.Streams;

namespace Polder.Apps.Graphs;

/// <summary>
/// A conversation with one peer over one stream: which topics both keep, summaries of them, what differs, and from then on every change.
/// The side that opened the stream compares anew from time to time; both sides answer, and both send what is new.
/// </summary>
internal sealed class GraphTalk : IGraphOrigin
{
    private const int BurstSeconds = 100;
    private const long QueuedBytesMax = 16 * 1024 * 1024;
    private const int TheirsMax = 8192, UnansweredMax = 10_000, PlacesNotedMax = 200_000;
    /// <summary>Time to the first comparison; each further one waits twice as long, up to a minute.</summary>
    public static readonly TimeSpan CompareSoon = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20), CompareLate = TimeSpan.FromMinutes(1), HeldUp = TimeSpan.FromMilliseconds(200);

    private readonly GraphShare _share;
    private readonly NodeHost _host;
    private readonly SharedGraph _graph;
    private readonly PeerStream _stream;
    private readonly GraphLine _line;
    private readonly Dictionary<ulong, CommonTopic> _common = [];
    private readonly Dictionary<uint, (CommonTopic Topic, List<ulong> Places)> _sent = [];
    private List<ulong> _theirTags = [];
    private Polder.Runtime.TokenBucket _written;
    private uint _number;

    public GraphTalk(GraphShare share, NodeHost host, SharedGraph graph, PeerStream stream)
    {
        (_share, _host, _graph, _stream) = (share, host, graph, stream);
        _line = new GraphLine(stream, () =>
        {
            _share.NoteRefused(this);
            End();
        });
    }

    public PeerStream Stream => _stream;

    bool IGraphOrigin.IsGuest => true;

    bool IGraphOrigin.IsTrusted => _host.Find<ContactBook>()?.Find(_stream.Peer.Key) is { Blocked: false };

    /// <summary>Entries that came in.</summary>
    public long Taken { get; private set; }

    /// <summary>Entries that went out.</summary>
    public long Given { get; private set; }

    public bool IsOver { get; private set; }

    /// <summary>Whether a topic is kept by both.</summary>
    public bool Shares(SharedTopic topic) => _common.Values.Any(common => common.Topic == topic);

    /// <summary>Talks until the stream ends.</summary>
    public async Task RunAsync()
    {
        TellTopics();
        try
        {
            while (await _line.ReadAsync() is var (type, body))
                if (!await TakeAsync(type, body)) break;
        }
        catch (PeerStreamException) { }
        catch (EndOfStreamException) { }
        finally { End(); }
    }

    /// <summary>Says which topics are kept here, at the beginning and whenever that changes.</summary>
    public void TellTopics()
    {
        _line.Send(ExchangeFrame.Topics, ExchangeFrames.Topics([.. _share.Topics.Take(ExchangeFrames.TopicsMax).Select(TagOf)]));
        foreach (var common in _common.Values.Where(common => !_share.Topics.Contains(common.Topic)).ToList()) Leave(common);
        Match(_theirTags);
    }

    /// <summary>Compares what is due.</summary>
    public void Beat()
    {
        if (IsOver || !_stream.IsOurs) return;
        foreach (var common in _common.Values)
        {
            if (common.CompareAt > _host.Now || !common.Topic.Index.IsComplete || common.Topic.Index.IsTooLarge) continue;
            common.CompareAt = _host.Now + common.Wait;
            common.Wait = common.Wait * 2 > CompareLate ? CompareLate : common.Wait * 2;
            common.ComparedVersion = common.Topic.Index.Version;
            _line.Send(ExchangeFrame.Branches, ExchangeFrames.Branches(common.Tag, common.Topic.Index.Summary.BranchHashes()));
        }
    }

    public void End()
    {
        if (IsOver) return;
        IsOver = true;
        foreach (var common in _common.Values.ToList()) Leave(common);
        _share.Ended(this);
        // The reading side comes to its end.
        _ = _stream.DisposeAsync().AsTask();
    }

    private ulong TagOf(SharedTopic topic) => ExchangeFrames.TagOf(topic.Name, _host.Identity.Public.Bytes, _stream.Peer.Key.Bytes);

    private void Leave(CommonTopic common)
    {
        common.Topic.Index.Changed -= common.Listener;
        _common.Remove(common.Tag);
    }

    private async Task<bool> TakeAsync(ExchangeFrame type, byte[] body)
    {
        if (type == ExchangeFrame.Topics)
        {
            if (ExchangeFrames.ReadTopics(body) is not { } tags) return false;
            Match(tags);
            return true;
        }
        if (type == ExchangeFrame.Kept)
        {
            if (body.Length != 4) return false;
            NoteKept(BinaryPrimitives.ReadUInt32BigEndian(body));
            return true;
        }
        if (ExchangeFrames.TagOf(body) is not { } tag) return false;
        // It may not have heard yet that we left the topic.
        if (!_common.TryGetValue(tag, out var common)) return true;
        switch (type)
        {
            case ExchangeFrame.Branches: return Compare(common, ExchangeFrames.ReadBranches(body));
            case ExchangeFrame.Leaves: return await TakeLeavesAsync(common, ExchangeFrames.ReadLeaves(body));
            case ExchangeFrame.Places: return await TakePlacesAsync(common, ExchangeFrames.ReadPlaces(body));
            case ExchangeFrame.Want: return await TakeWantAsync(common, ExchangeFrames.ReadWant(body));
            case ExchangeFrame.Entries:
                var entries = ExchangeFrames.ReadEntries(body, _graph.Options, out var number);
                if (entries is null) return false;
                await TakeEntriesAsync(common, entries, number);
                return true;
            case ExchangeFrame.Level:
                common.Copies.Level(common.ComparedVersion == common.Topic.Index.Version);
                (common.Wait, common.CompareAt) = (CompareLate, _host.Now + CompareLate);
                return true;
            // Of a later version.
            default: return true;
        }
    }

    private void Match(List<ulong> tags)
    {
        _theirTags = tags;
        foreach (var topic in _share.Topics)
        {
            var tag = TagOf(topic);
            if (!tags.Contains(tag) || _common.ContainsKey(tag)) continue;
            var common = new CommonTopic(topic, tag, topic.Of(_stream.Peer.Key));
            common.Listener = write => Note(common, write);
            topic.Index.Changed += common.Listener;
            _common.Add(tag, common);
        }
        foreach (var common in _common.Values.Where(common => !tags.Contains(common.Tag)).ToList()) Leave(common);
        Beat();
    }

    private bool Compare(CommonTopic common, UInt128[]? theirs)
    {
        if (theirs is null) return false;
        var index = common.Topic.Index;
        // It asks again later.
        if (!index.IsComplete || index.IsTooLarge) return true;
        var ours = index.Summary.BranchHashes();
        var differing = new List<(int, UInt128[])>();
        for (var branch = 0; branch < ours.Length; branch++)
            if (ours[branch] != theirs[branch]) differing.Add((branch, index.Summary.LeavesOf(branch)));
        if (differing.Count == 0)
        {
            common.Copies.Level(nothingSince: true);
            _line.Send(ExchangeFrame.Level, ExchangeFrames.Level(common.Tag));
        }
        else _line.Send(ExchangeFrame.Leaves, ExchangeFrames.Leaves(common.Tag, differing));
        return true;
    }

    private async Task<bool> TakeLeavesAsync(CommonTopic common, List<(int Branch, UInt128[] Leaves)>? theirs)
    {
        if (theirs is null) return false;
        var differing = new HashSet<int>();
        foreach (var (branch, leaves) in theirs)
            for (var i = 0; i < leaves.Length; i++)
                if (common.Topic.Index.Summary.Leaf(branch * TopicSummary.LeavesPerBranch + i) != leaves[i]) differing.Add(branch * TopicSummary.LeavesPerBranch + i);
        if (differing.Count == 0 || common.IsCollecting) return true;
        var ours = await CollectAsync(common, place => differing.Contains(TopicSummary.LeafOf(place)));
        var places = differing.ToDictionary(static leaf => leaf, static _ => new List<PlaceAndHash>());
        foreach (var entry in ours)
        {
            var place = EntryHash.Place(entry.Soul, entry.Key);
            places[TopicSummary.LeafOf(place)].Add(new PlaceAndHash(place, Short(entry)));
        }
        var (frame, bytes) = (new List<(int, List<PlaceAndHash>)>(), 0);
        foreach (var (leaf, entries) in places.OrderBy(static pair => pair.Key))
        {
            if (frame.Count > 0 && bytes + 16 * entries.Count > ExchangeFrames.EntryBytesWanted) Flush();
            frame.Add((leaf, entries));
            bytes += 16 * entries.Count + 6;
        }
        Flush();
        return true;

        void Flush()
        {
            _line.Send(ExchangeFrame.Places, ExchangeFrames.Places(common.Tag, frame));
            (frame, bytes) = ([], 0);
        }
    }

    private async Task<bool> TakePlacesAsync(CommonTopic common, List<(int Leaf, List<PlaceAndHash> Entries)>? theirs)
    {
        if (theirs is null) return false;
        var leaves = theirs.Select(static leaf => leaf.Leaf).ToHashSet();
        var held = new Dictionary<ulong, ulong>();
        foreach (var (place, hash) in theirs.SelectMany(static leaf => leaf.Entries)) held[place] = hash;
        var give = new List<GraphWrite>();
        foreach (var entry in await CollectAsync(common, place => leaves.Contains(TopicSummary.LeafOf(place))))
        {
            var place = EntryHash.Place(entry.Soul, entry.Key);
            if (held.Remove(place, out var hash) && hash == Short(entry)) common.Copies.Kept(place);
            else
            {
                // Which of the two is later shows when either side merges.
                if (hash != 0) held[place] = hash;
                give.Add(entry);
            }
        }
        Give(common, give);
        if (held.Count > 0) _line.Send(ExchangeFrame.Want, ExchangeFrames.Want(common.Tag, [.. held.Keys.Order()]));
        return true;
    }

    private async Task<bool> TakeWantAsync(CommonTopic common, HashSet<ulong>? wanted)
    {
        if (wanted is null) return false;
        Give(common, await CollectAsync(common, wanted.Contains));
        return true;
    }

    private async Task TakeEntriesAsync(CommonTopic common, List<GraphWrite> entries, uint number)
    {
        Taken += entries.Count;
        // Who sends more than it may is read more slowly.
        while (!_written.TryTake(_host.Now, _graph.Options.WrittenPerSecondMax, _graph.Options.WrittenPerSecondMax * BurstSeconds, Math.Min(entries.Sum(static entry => entry.Weight), _graph.Options.WrittenPerSecondMax * BurstSeconds)))
        {
            await Task.Delay(HeldUp, _host.Environment.Time);
            if (IsOver) return;
        }
        var (index, isComplete) = (common.Topic.Index, true);
        // What belongs only because of a link comes behind it.
        while (entries.Count > 0)
        {
            var belonging = entries.FindAll(entry => index.Contains(entry.Soul));
            if (belonging.Count == 0) break;
            entries = entries.FindAll(entry => !index.Contains(entry.Soul));
            isComplete &= (await MergeAsync(common, belonging)).Error is null;
        }
        try { await _graph.FlushAsync(); }
        // Our disk refused: it is not kept, and the next comparison finds it.
        catch (IOException) { return; }
        if (!IsOver && isComplete && entries.Count == 0) _line.Send(ExchangeFrame.Kept, ExchangeFrames.Kept(number));
    }

    private Task<MergeResult> MergeAsync(CommonTopic common, List<GraphWrite> entries)
    {
        foreach (var entry in entries)
        {
            if (common.Theirs.Count >= TheirsMax) common.Theirs.Clear();
            common.Theirs[EntryHash.Place(entry.Soul, entry.Key)] = EntryHash.Of(entry.Soul, entry.Key, entry.Entry);
        }
        var done = new TaskCompletionSource<MergeResult>();
        _graph.Merge(entries, this, done.SetResult);
        return done.Task;
    }

    private static ulong Short(in GraphWrite entry) => (ulong)(EntryHash.Of(entry.Soul, entry.Key, entry.Entry) >> 64);

    private static async Task<List<GraphWrite>> CollectAsync(CommonTopic common, Func<ulong, bool> wanted)
    {
        common.IsCollecting = true;
        try { return await common.Topic.Index.CollectAsync(wanted); }
        finally { common.IsCollecting = false; }
    }

    /// <summary>Sends entries in frames of a moderate size; the topic's own souls before those that hang on links.</summary>
    private void Give(CommonTopic common, List<GraphWrite> entries)
    {
        var (frame, bytes) = (new List<GraphWrite>(), 0);
        foreach (var entry in entries.OrderBy(entry => TopicName.Has(common.Topic.Name, entry.Soul) ? 0 : 1))
        {
            frame.Add(entry);
            bytes += 2 * entry.Weight;
            if (bytes < ExchangeFrames.EntryBytesWanted) continue;
            Flush();
        }
        if (frame.Count > 0) Flush();

        void Flush()
        {
            if (_sent.Count >= UnansweredMax) _sent.Clear();
            if (common.LastSent.Count >= PlacesNotedMax) common.LastSent.Clear();
            var places = frame.ConvertAll(static entry => EntryHash.Place(entry.Soul, entry.Key));
            _sent[++_number] = (common, places);
            foreach (var place in places) common.LastSent[place] = _number;
            Given += frame.Count;
            _line.Send(ExchangeFrame.Entries, ExchangeFrames.Entries(common.Tag, _number, frame));
            (frame, bytes) = ([], 0);
        }
    }

    private void NoteKept(uint number)
    {
        if (!_sent.Remove(number, out var sent)) return;
        // What has changed here meanwhile is on its way.
        foreach (var place in sent.Places)
        {
            if (sent.Topic.Dirty.ContainsKey(place) || !sent.Topic.LastSent.TryGetValue(place, out var last) || last != number) continue;
            sent.Topic.LastSent.Remove(place);
            sent.Topic.Copies.Kept(place);
        }
        _share.CopiesChanged();
    }

    private void Note(CommonTopic common, GraphWrite write)
    {
        var place = EntryHash.Place(write.Soul, write.Key);
        if (common.Theirs.TryGetValue(place, out var theirs) && theirs == EntryHash.Of(write.Soul, write.Key, write.Entry))
        {
            common.Copies.Kept(place);
            return;
        }
        common.Dirty[place] = (write.Soul, write.Key);
        if (common.IsArmed) return;
        common.IsArmed = true;
        _ = SendDirtyAsync(common);
    }

    private async Task SendDirtyAsync(CommonTopic common)
    {
        await Task.Delay(Gather, _host.Environment.Time);
        common.IsArmed = false;
        if (IsOver || common.Dirty.Count == 0) return;
        var entries = new List<GraphWrite>(common.Dirty.Count);
        foreach (var (soul, key) in common.Dirty.Values)
            if (_graph.Store.Find(soul, key) is { } entry) entries.Add(new GraphWrite(soul, key, entry.State, entry.Value));
        common.Dirty.Clear();
        // It reads too slowly: what is left out now, the next comparison finds.
        if (_line.QueuedBytes > QueuedBytesMax)
        {
            (common.Wait, common.CompareAt) = (CompareSoon, _host.Now + CompareSoon);
            return;
        }
        Give(common, entries);
    }
}
