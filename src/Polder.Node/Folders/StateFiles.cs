using Polder.Overlay.AddressBook;
using Polder.Runtime;

namespace Polder.Node.Folders;

/// <summary>
/// The small state of the overlay, a file a part, each replaced in one step (<see cref="DurableFile"/>). Writing happens off the loop, one at a time; of
/// what waits for one file only the newest is written, and all who wait hear of that.
/// </summary>
/// <remarks><code>
/// addresses.book     addresses heard of and tried    (overlay: AddressBookFile)
/// anchors            longest-lived neighbours        (AnchorList)
/// invitations        tokens given and taken; secret  (InvitationFile)
/// contacts           whom the owner knows            (ContactList)
/// tags               tags joined                     (TagFile)
/// dht.records        our own records in the DHT
/// session.keys       keys that had sessions with us  (StickyKeyFile)
/// contacts.book      names, notes and marks of contacts (apps: ContactBookFile)
/// crawl.progress     chains looked at lately: 8 bytes of the node id, 4 of Unix seconds each (Survey)
/// </code></remarks>
internal sealed class StateFiles(string folder, NodeLoop loop) : IStateStore
{
    private const int BytesMax = 4 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<StatePart, (byte[] Content, List<TaskCompletionSource<bool>> Waiting)> _next = [];
    private Task _writing = Task.CompletedTask;
    private bool _isWriting;

    /// <summary>Which file holds a part.</summary>
    public string PathOf(StatePart part) => Path.Combine(folder, part switch
    {
        StatePart.AddressBook => "addresses.book",
        StatePart.Anchors => "anchors",
        StatePart.Invitations => "invitations",
        StatePart.Contacts => "contacts",
        StatePart.Tags => "tags",
        StatePart.DhtRecords => "dht.records",
        StatePart.StickyKeys => "session.keys",
        StatePart.CrawlProgress => "crawl.progress",
        StatePart.ContactBook => "contacts.book",
        StatePart.GraphTopics => "graph.topics",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, null),
    });

    /// <inheritdoc/>
    public byte[]? Load(StatePart part)
    {
        var path = PathOf(part);
        try { return File.Exists(path) && new FileInfo(path).Length <= BytesMax ? File.ReadAllBytes(path) : null; }
        // What cannot be read is as if it were not there: no such file may stop a node.
        catch (IOException) { return null; }
        catch (UnauthorizedAccessException) { return null; }
    }

    /// <inheritdoc/>
    public Task<bool> SaveAsync(StatePart part, byte[] content)
    {
        // Completed through the loop, so that whoever waits goes on there.
        var done = new TaskCompletionSource<bool>();
        lock (_gate)
        {
            var waiting = _next.TryGetValue(part, out var before) ? before.Waiting : [];
            waiting.Add(done);
            _next[part] = (content, waiting);
            if (!_isWriting)
            {
                _isWriting = true;
                _writing = Task.Run(WriteAll);
            }
        }
        return done.Task;
    }

    /// <summary>Completes when everything that was saved before is in the files, or could not be.</summary>
    public Task WrittenAsync()
    {
        lock (_gate) return _writing;
    }

    private void WriteAll()
    {
        while (true)
        {
            StatePart part;
            byte[] content;
            List<TaskCompletionSource<bool>> waiting;
            lock (_gate)
            {
                if (_next.Count == 0)
                {
                    _isWriting = false;
                    return;
                }
                part = _next.Keys.Min();
                (content, waiting) = _next[part];
                _next.Remove(part);
            }
            var kept = TryWrite(PathOf(part), content);
            loop.Post(() =>
            {
                foreach (var done in waiting) done.TrySetResult(kept);
            });
        }
    }

    private static bool TryWrite(string path, byte[] content)
    {
        try
        {
            DurableFile.Write(path, content);
            return true;
        }
        catch (IOException) { return false; }
        catch (UnauthorizedAccessException) { return false; }
    }
}
