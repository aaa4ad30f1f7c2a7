using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Tests.Apps.Chat;

/// <summary>People whose letters wait until a test lets them through, in any order, twice if it likes.</summary>
internal sealed class ChatWorld
{
    private readonly Prng _random;
    private readonly List<ChatPerson> _people = [];

    public ChatWorld(ulong seed) => _random = new Prng(seed);

    public Prng Random => _random;
    public List<(ChatPerson From, PublicKey To, LetterId Id, byte[] Body)> Open { get; } = [];
    public DateTimeOffset Now { get; set; } = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public ChatPerson Add(string name, TimeSpan clock = default)
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        _random.Fill(entropy);
        var person = new ChatPerson(this, name, KeyPair.FromEntropy(entropy), clock);
        _people.Add(person);
        return person;
    }

    public ChatPerson Find(PublicKey key) => _people.First(person => person.Key == key);
    public IReadOnlyList<ChatPerson> People => _people;

    /// <summary>Delivers everything, in an order of chance, until nothing is open.</summary>
    public async Task SettleAsync(double doubled = 0.1)
    {
        while (Open.Count > 0) await DeliverOneAsync(_random.Next(Open.Count), doubled);
    }

    public async Task DeliverOneAsync(int index, double doubled = 0.1)
    {
        var letter = Open[index];
        if (!_random.Chance(doubled)) Open.RemoveAt(index);
        var to = Find(letter.To);
        if (await to.Letters.Handler!(new Letter(letter.Id, letter.From.Key, LetterKinds.Chat, letter.Body, Now, 1))) letter.From.Letters.Arrived(letter.Id);
    }
}

internal sealed class ChatPerson
{
    public ChatPerson(ChatWorld world, string name, KeyPair pair, TimeSpan clock)
    {
        (World, Name, Pair, Letters) = (world, name, pair, new TestLetters(this));
        Time = new TestClock(world, clock);
        Store = new MemoryChatStore(Platter);
        Chat = Start();
    }

    public ChatWorld World { get; }
    public string Name { get; }
    public KeyPair Pair { get; }
    public PublicKey Key => Pair.Public;
    public TestLetters Letters { get; }
    public TimeProvider Time { get; }
    public MemoryChatPlatter Platter { get; } = new();
    public IChatStore Store { get; private set; }
    public ChatService Chat { get; private set; }

    /// <summary>Dies and starts again with what was flushed.</summary>
    public void Crash()
    {
        Store = new MemoryChatStore(Platter);
        Chat = Start();
        Chat.Start();
    }

    private ChatService Start() => new(new ChatParts(Pair, World.Random, Ed25519Signatures.Instance, Time, Store, Letters, new Everybody(World)));

    public ConversationId With(ChatPerson other) => Chat.With(other.Key).Id;

    public Task<StoredEvent> SayAsync(ConversationId id, string text) => Chat.SendAsync(id, MessageContent.OfText(text));

    /// <summary>What a conversation looks like, in its order.</summary>
    public IReadOnlyList<string> Read(ConversationId id) => [.. Store.Page(id, null, 1000).Reverse().Where(static one => StoredKind.IsMessage(one.Kind)).Select(Line)];

    private string Line(StoredEvent stored)
    {
        if (stored.Content is not { } content) return "?";
        var state = new MessageState(new Said(stored.Order, stored.Author, content));
        foreach (var aimed in Store.AimedAt(stored.Id)) state.Apply(new Said(aimed.Order, aimed.Author, aimed.Content!));
        return World.Find(stored.Author).Name + ": " + (state.IsDeleted ? "-" : state.Text) + string.Concat(state.Reactions.Select(static one => $" {one.Sign}{one.By.Count}"));
    }

    private sealed class Everybody(ChatWorld world) : IChatPeople
    {
        public string NameOf(PublicKey key) => world.Find(key).Name;
        public bool IsContact(PublicKey key) => true;
        public bool IsBlocked(PublicKey key) => false;
    }

    private sealed class TestClock(ChatWorld world, TimeSpan offset) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => world.Now + offset;
    }
}

internal sealed class TestLetters(ChatPerson owner) : ILetters
{
    private readonly Dictionary<LetterId, LetterStage> _stages = [];

    public Func<Letter, Task<bool>>? Handler { get; private set; }
    public event Action<LetterId>? StateChanged;

    public Task<LetterId> PostAsync(PublicKey to, ReadOnlyMemory<byte> body)
    {
        Span<byte> bytes = stackalloc byte[32];
        owner.World.Random.Fill(bytes);
        var id = new LetterId(new Hash256(bytes));
        owner.World.Open.Add((owner, to, id, body.ToArray()));
        _stages[id] = LetterStage.OnlyHere;
        return Task.FromResult(id);
    }

    public LetterState StateOf(LetterId id) => _stages.TryGetValue(id, out var stage) ? new LetterState(stage, []) : new LetterState(LetterStage.Unknown, []);

    public List<LetterId> Seen { get; } = [];
    public void MarkSeen(LetterId id) => Seen.Add(id);
    public void Receive(Func<Letter, Task<bool>> handler) => Handler = handler;

    public void Arrived(LetterId id)
    {
        if (!_stages.ContainsKey(id)) return;
        _stages[id] = LetterStage.Delivered;
        StateChanged?.Invoke(id);
    }
}
