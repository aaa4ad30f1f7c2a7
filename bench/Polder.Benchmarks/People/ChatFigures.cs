using System.Diagnostics;
using Polder.Apps;
using Polder.Apps.Chat;
using Polder.Apps.Contacts;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>The chat: a round trip between two whole nodes over 127.0.0.1, opening a long conversation, and one node with many live friends.</summary>
internal static class ChatFigures
{
    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var figures = new List<Figure>();
        figures.AddRange(await RoundTripAsync(say, stop).ConfigureAwait(false));
        figures.AddRange(await FriendsAsync(say, stop).ConfigureAwait(false));
        return figures;
    }

    // ---- Two nodes, and a long conversation between them ----

    private static async Task<IReadOnlyList<Figure>> RoundTripAsync(Action<string> say, CancellationToken stop)
    {
        using var folder = new BenchFolder();
        await using var alice = await StartAsync(folder.File("alice"), [], stop).ConfigureAwait(false);
        await using var bob = await StartAsync(folder.File("bob"), [alice.UdpEndpoint.ToString()], stop).ConfigureAwait(false);
        await alice.InvokeAsync(() => alice.Host.Find<ContactBook>()!.AddAsync(bob.Identity, "Bob", address: bob.UdpEndpoint)).ConfigureAwait(false);
        await bob.InvokeAsync(() => bob.Host.Find<ContactBook>()!.AddAsync(alice.Identity, "Alice", address: alice.UdpEndpoint)).ConfigureAwait(false);
        TaskCompletionSource? back = null;
        await bob.InvokeAsync(() =>
        {
            var chat = bob.Host.Find<ChatService>()!;
            chat.Arrived += stored => _ = chat.SendAsync(stored.Conversation, MessageContent.OfText("pong"));
        }).ConfigureAwait(false);
        await alice.InvokeAsync(() => alice.Host.Find<ChatService>()!.Arrived += _ => back?.TrySetResult()).ConfigureAwait(false);
        var times = new List<double>();
        for (var i = 0; i < 220; i++)
        {
            back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var began = Stopwatch.GetTimestamp();
            await alice.Operations.Chat.SendAsync("Bob", "ping", cancellation: stop).ConfigureAwait(false);
            await back.Task.WaitAsync(TimeSpan.FromSeconds(60), stop).ConfigureAwait(false);
            if (i >= 20) times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        var (half, most) = (times[times.Count / 2], times[times.Count * 99 / 100]);
        say($"chat round trip, both sides on disk: p50 {half:0.0} ms, p99 {most:0.0} ms");

        var messages = (int)BenchScale.Of("CHAT_MESSAGES", small: 100_000, full: 100_000);
        await FillAsync(alice, messages).ConfigureAwait(false);
        var carol = await alice.InvokeAsync(() => Carol().Public).ConfigureAwait(false);
        await alice.DisposeAsync().ConfigureAwait(false);
        await using var again = await StartAsync(folder.File("alice"), [], stop).ConfigureAwait(false);
        var opened = Stopwatch.GetTimestamp();
        var page = await again.Operations.Chat.ShowAsync(carol.ToString(), seen: true, cancellation: stop).ConfigureAwait(false);
        var first = Stopwatch.GetElapsedTime(opened).TotalMilliseconds;
        var searched = Stopwatch.GetTimestamp();
        var found = await again.Operations.Chat.SearchAsync("word" + (messages / 2).ToString(System.Globalization.CultureInfo.InvariantCulture), cancellation: stop).ConfigureAwait(false);
        var search = Stopwatch.GetElapsedTime(searched).TotalMilliseconds;
        if (page.Messages.Count != 50 || found.Count != 1) throw new InvalidOperationException("The long conversation is not what was written.");
        say($"a conversation of {messages} messages opens in {first:0} ms after the start, a search in it takes {search:0} ms");
        return
        [
            new("chat round trip, p50", half, "ms", null, null), new("chat round trip, p99", most, "ms", null, null),
            new($"opening a conversation of {messages} messages", first, "ms", 300, first / 300, "below 300 ms", first < 300),
            new($"search among {messages} messages", search, "ms", null, null),
        ];
    }

    private static KeyPair Carol() => BenchKeys.Make(999_100);

    private static Task<PolderNode> StartAsync(string data, IReadOnlyList<string> join, CancellationToken stop) => new NodeBuilder(new NodeOptions
    {
        Data = data, Port = 0, Page = 0, Loopback = true, Join = join, Overlay = new OverlayOptions { StepInterval = TimeSpan.FromMilliseconds(100) },
    }).StartAsync(stop);

    // As if Carol had written for years: her events are taken as they would come, many to a flush.
    private static Task<bool> FillAsync(PolderNode node, int messages) => node.InvokeAsync(async () =>
    {
        var (chat, carol) = (node.Host.Find<ChatService>()!, Carol());
        var id = chat.With(carol.Public).Id;
        for (var i = 1; i <= messages; i++)
        {
            var content = MessageContent.OfText($"message {i}, which says word{i} and some more as messages do");
            var header = new EventHeader(EventClass.Pair, id, carol.Public, (uint)i, 1, (ulong)i, (ulong)(1_600_000_000_000 + i * 60_000L), default, (UInt128)i);
            chat.Store.Add(StoredEvent.Of(ChatEvent.Make(header, content.Write(), carol, Ed25519Signatures.Instance), content, null, (ulong)i, false));
            if (i % 1000 == 0) await chat.Store.FlushAsync();
        }
        await chat.Store.FlushAsync();
        return true;
    });

    // ---- Many live friends ----

    private static async Task<IReadOnlyList<Figure>> FriendsAsync(Action<string> say, CancellationToken stop)
    {
        var seconds = BenchScale.Of("FRIEND_SECONDS", small: 5, full: 30);
        int[] counts = [100, 200, 300, 400, (int)BenchScale.Of("FRIENDS", small: 500, full: 500)];
        var points = new List<(double Friends, double PerMinute)>();
        var kilobytes = 0.0;
        foreach (var count in counts)
        {
            var (perMinute, each) = await LiveAsync(count, TimeSpan.FromSeconds(seconds), stop).ConfigureAwait(false);
            points.Add((count, perMinute));
            kilobytes = each;
            say($"{count} live friends: {perMinute:0} messages a minute kept and acknowledged, {each:0} KB for both ends of a friendship");
        }
        var fit = Fit(points);
        return
        [
            new($"chat messages from {counts[^1]} live friends", points[^1].PerMinute, "a minute", null, null),
            new("messages a minute over friends: R² of the line", fit, "", 1, fit, "above 0.95", fit > 0.95),
            new($"memory of a live friendship among {counts[^1]}, both ends", kilobytes, "KB", null, null),
        ];
    }

    private const int ComingAtOnce = 20;

    private static double Fit(List<(double X, double Y)> points)
    {
        var (mx, my) = (points.Average(static p => p.X), points.Average(static p => p.Y));
        var (sxy, sxx, syy) = (points.Sum(p => (p.X - mx) * (p.Y - my)), points.Sum(p => (p.X - mx) * (p.X - mx)), points.Sum(p => (p.Y - my) * (p.Y - my)));
        return syy == 0 ? 0 : sxy * sxy / (sxx * syy);
    }

    /// <summary>Each friend is a node with sockets, sessions, mail-bag and chat of its own, all on one loop; each says something every four seconds.</summary>
    private static async Task<(double PerMinute, double Kilobytes)> LiveAsync(int count, TimeSpan duration, CancellationToken stop)
    {
        await using var loop = new ThreadLoop("bench friends");
        await using var mine = new ThreadLoop("bench chat");
        var kept = 0L;
        var sockets = new List<UdpSocket>();
        try
        {
            NodeHost Make(ThreadLoop on, int number, int peers)
            {
                var socket = UdpSocket.Bind(on, 0, loopback: true);
                sockets.Add(socket);
                var environment = new NodeEnvironment(on, new LoopTimeProvider(TimeProvider.System, on), new Prng((ulong)number), socket, new ThreadPoolWorkers(on), Ed25519Signatures.Instance);
                // Friends only answer: five hundred walkers on one machine would be another measurement.
                var options = new OverlayOptions { PeersMax = peers, SourceSlots = 256, WalkTarget = 1, PeersWanted = 1, StepInterval = TimeSpan.FromSeconds(30) }.ForLaboratory().WithoutRates();
                var host = new NodeHost(environment, BenchKeys.Make(900_000 + number), options);
                new AppsModule().Join(host);
                host.Start();
                return host;
            }
            var subject = await mine.InvokeAsync(() => Make(mine, 50_000, count + 100)).ConfigureAwait(false);
            await mine.InvokeAsync(() => { subject.Find<ChatService>()!.Arrived += _ => kept++; return true; }).ConfigureAwait(false);
            var friends = await loop.InvokeAsync(() => Enumerable.Range(0, count).Select(i => Make(loop, i, 64)).ToList()).ConfigureAwait(false);
            // What a node takes by itself is measured elsewhere ("program"): here, what a friendship adds, both ends of it in this process.
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var (key, at) = (subject.Identity.Public, subject.Environment.Socket.LocalEndpoint);
            await mine.InvokeAsync(async () =>
            {
                foreach (var friend in friends) await subject.Find<ContactBook>()!.AddAsync(friend.Identity.Public, address: friend.Environment.Socket.LocalEndpoint);
                return true;
            }).ConfigureAwait(false);
            await loop.InvokeAsync(async () =>
            {
                foreach (var friend in friends)
                {
                    await friend.Find<ContactBook>()!.AddAsync(key, "subject", address: at);
                }
                return true;
            }).ConfigureAwait(false);
            // They come one after the other, as people do; then until everybody has got through once.
            foreach (var some in friends.Chunk(ComingAtOnce))
            {
                var here = Interlocked.Read(ref kept);
                await loop.InvokeAsync(async () =>
                {
                    foreach (var friend in some)
                    {
                        friend.WalkTo(at);
                        var chat = friend.Find<ChatService>()!;
                        await chat.SendAsync(chat.With(key).Id, MessageContent.OfText("hello"));
                    }
                    return true;
                }).ConfigureAwait(false);
                for (var i = 0; i < 50 && Interlocked.Read(ref kept) < here + some.Length; i++) await Task.Delay(20, stop).ConfigureAwait(false);
            }
            for (var i = 0; Interlocked.Read(ref kept) < count; i++)
            {
                if (i > 900) throw new InvalidOperationException($"Only {kept} of {count} friends got through.");
                await Task.Delay(100, stop).ConfigureAwait(false);
            }
            var kilobytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0 / count;
            var (begun, from) = (Stopwatch.GetTimestamp(), Interlocked.Read(ref kept));
            var said = 0;
            while (Stopwatch.GetElapsedTime(begun) is var passed && passed < duration)
            {
                var due = (int)(count * (passed / TimeSpan.FromSeconds(4)));
                for (; said < due; said++)
                {
                    var friend = friends[said % count];
                    await loop.InvokeAsync(() =>
                    {
                        var chat = friend.Find<ChatService>()!;
                        return chat.SendAsync(chat.With(key).Id, MessageContent.OfText("message " + said));
                    }).ConfigureAwait(false);
                }
                await Task.Delay(5, stop).ConfigureAwait(false);
            }
            await Task.Delay(500, stop).ConfigureAwait(false);
            var perMinute = (Interlocked.Read(ref kept) - from) / duration.TotalMinutes;
            await loop.InvokeAsync(async () => { foreach (var friend in friends) await friend.StopAsync(); return true; }).ConfigureAwait(false);
            await mine.InvokeAsync(async () => { await subject.StopAsync(); return true; }).ConfigureAwait(false);
            return (perMinute, kilobytes);
        }
        finally { foreach (var socket in sockets) socket.Dispose(); }
    }
}
