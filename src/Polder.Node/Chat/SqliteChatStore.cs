using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Node.Chat;

/// <summary>
/// Conversations in chat.db, a database of their own: a damaged ledger takes no message with it. Writes go into the log at once, a few dozen
/// microseconds each; <see cref="FlushAsync"/> brings the log to the disk on a worker, once for all who wait. So the loop never waits for a
/// disk, and what was acknowledged survives kill -9 and a power cut.
/// </summary>
internal sealed class SqliteChatStore : IChatStore, IDisposable
{
    /// <summary>Its name in a data folder.</summary>
    public const string FileName = "chat.db";
    private const int CacheKibibytes = 8 * 1024;
    /// <summary>After so many events the log is brought home.</summary>
    private const int EventsInLogMax = 4_000;

    private readonly string _path;
    private readonly IWorkers? _workers;
    private readonly Database _database;
    private readonly ChatTables _tables;
    private Task? _flushing, _next;
    private bool _open, _dirty;
    private int _inLog;

    private SqliteChatStore(string path, IWorkers? workers, Database database) =>
        (_path, _workers, _database, _tables) = (path, workers, database, new ChatTables(database));

    /// <summary>Opens or makes the database. Used on one thread at a time.</summary>
    /// <param name="path">The file.</param>
    /// <param name="workers">Who waits for the disk; null: <see cref="FlushAsync"/> does.</param>
    /// <exception cref="NodeStartException">A newer Polder wrote it, or SQLite is missing.</exception>
    public static SqliteChatStore Open(string path, IWorkers? workers = null)
    {
        try { return OpenWhole(path, workers); }
        catch (StorageException problem) when (problem.IsDamage)
        {
            // Nothing is thrown away: the damaged file stays beside the new one.
            File.Move(path, path + ".damaged", overwrite: true);
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
            return OpenWhole(path, workers);
        }
    }

    private static SqliteChatStore OpenWhole(string path, IWorkers? workers)
    {
        var database = Database.Open(path, cacheKibibytes: CacheKibibytes);
        try
        {
            // The log is flushed by us and brought home by us: no write of the loop ever waits for a disk.
            database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY");
            ChatSchema.Upgrade(database, path);
            return new SqliteChatStore(path, workers, database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public IReadOnlyList<Conversation> Conversations() => _tables.Conversations();
    public Conversation? Find(ConversationId id) => _tables.Conversation(id);
    public void Put(Conversation conversation) => Write(() => _tables.Put(conversation));
    public bool Add(StoredEvent stored)
    {
        _inLog++;
        return Write(() => _tables.Add(stored));
    }

    public StoredEvent? Find(EventId id) => _tables.Event(id);
    public IReadOnlyList<StoredEvent> Page(ConversationId conversation, EventOrder? before, int count) => _tables.Page(conversation, before, count);
    public IReadOnlyList<StoredEvent> PageFrom(ConversationId conversation, EventOrder from, int count) => _tables.PageFrom(conversation, from, count);
    public IReadOnlyList<StoredEvent> AimedAt(EventId target) => _tables.AimedAt(target);
    public IReadOnlyList<StoredEvent> Changes(ConversationId conversation) => _tables.Changes(conversation);
    public IReadOnlyList<StoredEvent> By(ConversationId conversation, PublicKey author, uint from, uint to, int count) => _tables.By(conversation, author, from, to, count);
    public IReadOnlyList<(uint Sequence, uint First)> Numbers(ConversationId conversation, PublicKey author) => _tables.Numbers(conversation, author);
    public uint LastSequence(ConversationId conversation, PublicKey author) => _tables.LastSequence(conversation, author);
    public uint FirstSequence(ConversationId conversation, PublicKey author, EventId epoch) => _tables.FirstSequence(conversation, author, epoch);
    public ulong LastClock(ConversationId conversation) => _tables.LastClock(conversation);
    public int CountAfter(ConversationId conversation, EventOrder place, PublicKey self, int most) => _tables.CountAfter(conversation, place, self, most);
    public void Hide(EventId id, bool hidden) => Write(() => _tables.Hide(id, hidden));
    public IReadOnlyList<StoredEvent> Search(IReadOnlyList<string> words, ConversationId? conversation, int count) => _tables.Search(words, conversation, count);
    public void Put(Delivery delivery) => Write(() => _tables.Put(delivery));
    public IReadOnlyList<Delivery> Deliveries(EventId id) => _tables.Deliveries(id);
    public IReadOnlyList<Delivery> Unposted(int count) => _tables.Unposted(count);
    public IReadOnlyList<Delivery> DeliveriesOf(LetterId letter) => _tables.DeliveriesOf(letter);
    public void PutSecret(ConversationId conversation, EventId epoch, Hash256 secret) => Write(() => _tables.PutSecret(conversation, epoch, secret));
    public Hash256? Secret(EventId epoch) => _tables.Secret(epoch);
    public bool Hold(ConversationId conversation, HeldEvent held) => Write(() => _tables.Hold(conversation, held));
    public IReadOnlyList<HeldEvent> Held(ConversationId conversation) => _tables.Held(conversation);
    public void Release(EventId id) => Write(() => _tables.Release(id));
    public void NoteLetter(ConversationId conversation, EventId id, LetterId letter) => Write(() => _tables.NoteLetter(conversation, id, letter));
    public IReadOnlyList<LetterId> TakeLetters(ConversationId conversation, EventOrder place) => Write(() => _tables.TakeLetters(conversation, place));
    public void PutForeign(string name, PublicKey peer, EventId id) => Write(() => _tables.PutForeign(name, peer, id));
    public EventId? FindForeign(string name, PublicKey peer) => _tables.FindForeign(name, peer);
    public string? ForeignName(EventId id) => _tables.ForeignName(id);

    /// <summary>
    /// Brings everything written so far to the disk. Who comes while a flush runs waits for the next one, which they all share: what they
    /// wrote may have missed the first.
    /// </summary>
    public Task FlushAsync()
    {
        if (!_dirty) return _next ?? _flushing ?? Task.CompletedTask;
        if (_workers is null)
        {
            FlushLog(Commit());
            return Task.CompletedTask;
        }
        if (_flushing is null) return _flushing = RunAsync();
        return _next ??= NextAsync(_flushing);

        async Task NextAsync(Task before)
        {
            try { await before; }
            catch (IOException) { /* Its own callers were told. */ }
            (_flushing, _next) = (RunAsync(), null);
            await _flushing;
        }

        async Task RunAsync()
        {
            try
            {
                var home = Commit();
                await _workers.RunAsync(() =>
                {
                    FlushLog(home);
                    return true;
                });
            }
            catch (IOException)
            {
                _dirty = true;
                throw;
            }
            finally { if (_next is null) _flushing = null; }
        }
    }

    public void Dispose()
    {
        Commit();
        _tables.Dispose();
        _database.Dispose();
    }

    // What is written between two flushes is one transaction: a batch of letters costs one commit, and is kept as a whole.
    private T Write<T>(Func<T> write)
    {
        _dirty = true;
        if (!_open)
        {
            _database.Execute("BEGIN");
            _open = true;
        }
        return write();
    }

    private void Write(Action write) => Write(() =>
    {
        write();
        return true;
    });

    // True when it is time to bring the log home.
    private bool Commit()
    {
        _dirty = false;
        if (_open)
        {
            // A commit that fails (a full disk) stays open and is tried with the next flush.
            try { _database.Execute("COMMIT"); }
            catch
            {
                _dirty = true;
                throw;
            }
            _open = false;
        }
        if (_inLog < EventsInLogMax) return false;
        _inLog = 0;
        return true;
    }

    // On a worker: a file of its own name and number, so it touches nothing of the loop's connection.
    private void FlushLog(bool home)
    {
        var log = _path + "-wal";
        if (!File.Exists(log)) return;
        using (var file = File.OpenHandle(log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)) RandomAccess.FlushToDisk(file);
        if (!home) return;
        using var other = Database.Open(_path);
        other.Execute("PRAGMA wal_checkpoint(PASSIVE)");
    }
}
