using System.Collections.Concurrent;
using System.Text;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Mailbox;
using Polder.Apps.Parcels.Transit;
using Polder.Cryptography;
using Polder.Host;
using Polder.Node.Parcels;

namespace Polder.Tests.Apps.Parcels;

/// <summary>A mailbox server on 127.0.0.1, a folder of its own, and both sides of a transfer around them.</summary>
internal sealed class ParcelStage : IAsyncDisposable
{
    private static int _codes;

    private readonly MailboxFace _mailbox;

    private ParcelStage(MailboxFace mailbox) => _mailbox = mailbox;

    public string Folder { get; } = Directory.CreateTempSubdirectory("polder-parcels-").FullName;
    public Uri Mailbox => new($"ws://127.0.0.1:{_mailbox.Port}/v1");
    public TransitOptions Transit { get; init; } = new() { LoopbackOnly = true, MeetMax = TimeSpan.FromSeconds(10) };

    public static async Task<ParcelStage> StartAsync() =>
        new(await MailboxFace.StartAsync(new MailboxService(new MailboxServerOptions(), null), 0, loopback: true, TestContext.Current.CancellationToken));

    public static WormholeCode NewCode() => WormholeCode.TryParse($"{Interlocked.Increment(ref _codes) + 100}-test-code", out var code, out _) ? code : throw new InvalidOperationException();

    public string PathOf(params string[] parts) => Path.Combine([Folder, .. parts]);

    public string Write(string name, byte[] bytes)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public Task<ParcelOutcome> SendAsync(ParcelContents contents, WormholeCode code, Human human, TransitOptions? transit = null) =>
        new ParcelSender([new MailboxPlace(Mailbox, [new StockDialogue(transit ?? Transit)])], System.Security.Cryptography.RandomNumberGenerator.Fill)
            .SendAsync(new SendingJob(contents, human), code, 2, TestContext.Current.CancellationToken);

    public Task<ParcelOutcome> ReceiveAsync(WormholeCode code, string folder, Human human, TransitOptions? transit = null) =>
        new ParcelReceiver([new MailboxPlace(Mailbox, [new StockDialogue(transit ?? Transit)])])
            .ReceiveAsync(new ReceivingJob(code, folder, human), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _mailbox.DisposeAsync();
        if (!OperatingSystem.IsWindows())
            foreach (var folder in Directory.EnumerateDirectories(Folder, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(folder, (UnixFileMode)0b111_000_000);
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Who says yes to everything and remembers what was said.</summary>
    internal sealed class Human : IParcelSenderHuman, IParcelReceiverHuman
    {
        public ConcurrentQueue<ParcelOffer> Offers { get; } = [];
        public ConcurrentQueue<string> Notes { get; } = [];
        public string? Text { get; private set; }
        public ParcelAnswer Answer { get; init; } = ParcelAnswer.Yes;
        public Func<Task>? BeforeAnswer { get; init; }

        public void Report(in ParcelProgress progress) { }
        public void Note(string sentence) => Notes.Enqueue(sentence);
        public void ShowCode(WormholeCode code) { }
        public Task<bool> IsVerifierRightAsync(Hash256 verifier, CancellationToken cancellation) => Task.FromResult(true);
        public async Task<ParcelAnswer> AskAsync(ParcelOffer offer, CancellationToken cancellation)
        {
            Offers.Enqueue(offer);
            if (BeforeAnswer is not null) await BeforeAnswer();
            return Answer;
        }
        public Task<bool> IsHugeWelcomeAsync(long unpackedBytes, long freeBytes, CancellationToken cancellation) => Task.FromResult(false);
        public void ShowText(string text) => Text = text;
        public void ShowVerifier(Hash256 verifier) { }
    }

    /// <summary>The other side, which may say anything.</summary>
    internal sealed class Stranger : IAsyncDisposable
    {
        private readonly MailboxLine _line;
        private readonly TransitMeeting _meeting;

        private Stranger(MailboxLine line, TransitMeeting meeting) => (_line, _meeting) = (line, meeting);

        public List<string> Heard { get; } = [];
        public TransitMeeting Meeting => _meeting;
        public MailboxLine Line => _line;

        public static async Task<Stranger> MeetAsync(ParcelStage stage, WormholeCode code, bool sends)
        {
            var line = (await MailboxLine.OpenAsync(stage.Mailbox, "{}", new Human(), TestContext.Current.CancellationToken))!;
            await line.MeetAsync(code, static () => true, TestContext.Current.CancellationToken);
            return new Stranger(line, new TransitMeeting(sends, new TransitKeys(line.Keys.TransitKey), new TransitOptions { LoopbackOnly = true, MeetMax = TimeSpan.FromSeconds(5) }));
        }

        public async Task SayAsync(string json) => await _line.SendAsync(Encoding.UTF8.GetBytes(json), TestContext.Current.CancellationToken);

        public async Task SayAsync(byte[] json) => await _line.SendAsync(json, TestContext.Current.CancellationToken);

        /// <summary>Goes to where our side says that it is.</summary>
        public void Dial() => _meeting.Dial(_hints);

        private TransitHints _hints = TransitHints.None;

        /// <summary>The first message with one of these members; hints on the way are kept for <see cref="Dial"/>.</summary>
        public async Task<string> HearAsync(params string[] members)
        {
            while (true)
            {
                var bytes = await _line.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
                var text = Encoding.UTF8.GetString(bytes!);
                Heard.Add(text);
                if (JsonText.Parse(bytes!) is not { } json) continue;
                if (JsonText.TryGet(json, "transit", out var transit)) _hints = TransitHints.Read(transit);
                if (members.Any(member => JsonText.TryGet(json, member, out _))) return text;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _meeting.DisposeAsync();
            await _line.DisposeAsync();
        }
    }
}
