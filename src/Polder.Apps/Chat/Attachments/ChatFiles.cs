using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Content;

namespace Polder.Apps.Chat;

/// <summary>How far a file of a message is.</summary>
/// <param name="Here">Whether all of it is here.</param>
/// <param name="PartsHere">Parts that are here.</param>
/// <param name="Parts">Parts in all; 0 while nobody told.</param>
/// <param name="Fetching">Whether it is being fetched now.</param>
internal sealed record FileState(bool Here, int PartsHere, int Parts, bool Fetching);

/// <summary>
/// Files of messages: sealed, kept and fetched by the hash of what is sealed (OV-9.6), so that they resume and every part is checked. Small
/// ones and pictures come by themselves, larger ones when the owner asks. On the node's loop.
/// </summary>
internal sealed class ChatFiles
{
    /// <summary>Files of contacts up to this size are fetched without being asked for.</summary>
    public const long FetchedUnaskedMax = 16 << 20;
    private const int WaitingMax = 256, AtOnceMax = 4;
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(15);

    private readonly NodeHost _host;
    private readonly ChatService _chat;
    private readonly Dictionary<ContentId, Wanted> _wanted = [];
    private readonly Dictionary<ContentId, FileState> _states = [];

    private sealed class Wanted(Attachment file, ConversationId conversation, List<PublicKey> from)
    {
        public Attachment File => file;
        public ConversationId Conversation => conversation;
        public List<PublicKey> From => from;
        public bool Running { get; set; }
        public TimeSpan NotBefore { get; set; }
    }

    public ChatFiles(NodeHost host, ChatService chat)
    {
        (_host, _chat) = (host, chat);
        chat.Arrived += Arrived;
    }

    /// <summary>What is known of a file; null until <see cref="LookAsync"/> has looked once.</summary>
    public FileState? StateOf(ContentId id) => _states.GetValueOrDefault(id);

    /// <summary>Looks how much of a file is here.</summary>
    public async Task<FileState> LookAsync(Attachment file)
    {
        if (_states.TryGetValue(file.Content, out var known) && (known.Here || known.Fetching)) return known;
        var content = await _host.Content.Store.OpenAsync(file.Content);
        var state = content is null ? new FileState(false, 0, 0, false) : new FileState(content.Tree.IsComplete, content.Tree.HaveCount, content.Tree.Summary.LeafCount, false);
        return _states[file.Content] = state;
    }

    /// <summary>Fetches a file of a message; goes on where it stopped, and tries again while nobody has it.</summary>
    public void Fetch(StoredEvent message, Attachment file)
    {
        if (_wanted.Count >= WaitingMax && !_wanted.ContainsKey(file.Content)) return;
        List<PublicKey> from = [message.Author];
        if (_chat.Group(message.Conversation) is { } group) from.AddRange(group.State.Members.Keys.Where(key => key != message.Author));
        from.RemoveAll(key => key == _chat.Self);
        if (!_wanted.TryGetValue(file.Content, out var wanted)) _wanted[file.Content] = wanted = new Wanted(file, message.Conversation, from);
        wanted.NotBefore = default;
        FetchWaiting();
    }

    /// <summary>Goes on with what is wanted.</summary>
    public void FetchWaiting()
    {
        var running = _wanted.Values.Count(static one => one.Running);
        foreach (var wanted in _wanted.Values.ToArray())
        {
            if (running >= AtOnceMax) return;
            if (wanted.Running || wanted.NotBefore > _host.Now) continue;
            running++;
            _ = FetchAsync(wanted);
        }
    }

    private async Task FetchAsync(Wanted wanted)
    {
        var id = wanted.File.Content;
        wanted.Running = true;
        try
        {
            var before = await LookAsync(wanted.File);
            if (!before.Here)
            {
                Note(before with { Fetching = true });
                var outcome = await _host.Content.FetchAsync(id, wanted.From, (here, all) => _states[id] = new FileState(false, here, all, true));
                var size = outcome.Content?.Tree.Summary.Size;
                var tree = outcome.Content?.Tree;
                // What is whole and has another size than the message says is not what was meant, but it is what was named: it is kept as it is.
                Note(tree is { IsComplete: true } && size == AttachmentCipher.SealedBytes(wanted.File.SizeBytes)
                    ? new FileState(true, tree.HaveCount, tree.Summary.LeafCount, false)
                    : new FileState(false, (_states.GetValueOrDefault(id)?.PartsHere).GetValueOrDefault(), (_states.GetValueOrDefault(id)?.Parts).GetValueOrDefault(), false));
            }
            if (_states[id].Here) _wanted.Remove(id);
        }
        catch (OperationCanceledException) { /* The node stops. */ }
        catch (Exception problem) when (problem is IOException or InvalidOperationException) { _states.Remove(id); }
        finally
        {
            wanted.Running = false;
            wanted.NotBefore = _host.Now + AgainAfter;
        }

        void Note(FileState state)
        {
            _states[id] = state;
            _chat.Raise(wanted.Conversation);
        }
    }

    private void Arrived(StoredEvent stored)
    {
        if (!_chat.People.IsContact(stored.Author) || stored.Content is not { } content) return;
        foreach (var file in content.Attachments)
            if (file.SizeBytes <= FetchedUnaskedMax) Fetch(stored, file);
    }

    /// <summary>Keeps a file of ours, from a stream of its sealed bytes that can seek. Null: there is no room for it.</summary>
    public async Task<Attachment?> KeepAsync(Stream sealedBytes, Hash256 key, long size, string name, string type, CancellationToken cancellation)
    {
        var content = await _host.Content.AddAsync(sealedBytes, cancellation);
        return content is null ? null : new Attachment(content.Tree.Summary.Id, key, size, name, type);
    }
}
