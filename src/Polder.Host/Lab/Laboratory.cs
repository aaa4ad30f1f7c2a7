using System.Diagnostics;
using System.Globalization;
using Polder.Identity;
using Polder.Node;
using Polder.Node.Folders;
using Polder.Node.Operations;
using Polder.Runtime;

namespace Polder.Host.Lab;

/// <summary>
/// Real nodes with real sockets on 127.0.0.1, all in this process. Each is told of one neighbour on a ring; they meet the
/// others by themselves, work for each other as the seed says, sign records, and judge.
/// </summary>
internal sealed class Laboratory : ILabFeed, IAsyncDisposable
{
    /// <summary>Nodes of a laboratory.</summary>
    public const int NodesMin = 2, NodesMax = 32;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SignWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(300);
    private const int WorkAtOnce = 4;

    private readonly List<Member> _members = [];
    private readonly string _folder;
    private readonly ulong _seed;
    private readonly TimeSpan _length;
    private readonly Stopwatch _clock = new();
    private readonly Lock _lock = new();
    private readonly List<LabEvent> _events = [];
    private readonly Dictionary<(int Worker, int Helped), long> _worked = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LabSnapshot? _current;
    private long _version;
    private int _signed;
    private int _givenUp;
    private bool _finished;

    private sealed record Member(int Index, PolderNode Node, IdentityView Identity, string Address)
    {
        public HashSet<int> Knows { get; set; } = [];
        public string? First { get; set; }
    }

    private Laboratory(ulong seed, TimeSpan length)
    {
        (_seed, _length) = (seed, length);
        _folder = Directory.CreateTempSubdirectory("polder-lab-").FullName;
    }

    /// <inheritdoc/>
    public LabSnapshot? Current => Volatile.Read(ref _current);

    /// <summary>The node behind the other pages: the first.</summary>
    public INodeOperations First => _members[0].Node.Operations;

    /// <summary>Work that was planned and not signed when the time was over.</summary>
    public int GivenUp => _givenUp;

    /// <summary>Starts the nodes and introduces neighbours.</summary>
    public static async Task<Laboratory> StartAsync(int nodes, ulong seed, TimeSpan length, Action<string> say, CancellationToken cancellation)
    {
        var lab = new Laboratory(seed, length);
        try
        {
            for (var i = 0; i < nodes; i++)
            {
                say(string.Create(CultureInfo.InvariantCulture, $"Starting node {i + 1} of {nodes}"));
                await lab.AddAsync(i, cancellation).ConfigureAwait(false);
            }
            lab._clock.Start();
            // A ring: each is told of the one before it, the first of the last.
            foreach (var member in lab._members)
            {
                var before = lab._members[(member.Index + nodes - 1) % nodes];
                if (Polder.Net.Endpoint.TryParse(before.Address, out var address))
                    await member.Node.Operations.WalkToAsync(address, cancellation).ConfigureAwait(false);
            }
            await lab.LookAsync(cancellation).ConfigureAwait(false);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets them work until the time is over.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(_length - _clock.Elapsed is { Ticks: > 0 } left ? left : TimeSpan.Zero);
        var jobs = LabPlan.Draw(_seed, _members.Count, _length);
        var work = WorkAsync(jobs, over.Token);
        var crawl = CrawlAsync(over.Token);
        try
        {
            while (true)
            {
                await Task.Delay(LookInterval, over.Token).ConfigureAwait(false);
                await LookAsync(over.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested) { }
        await Task.WhenAll(work, crawl).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        _finished = true;
        await LookAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_version != seen) return _version;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Stops all nodes and takes their folders away.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_members.Select(member => member.Node.DisposeAsync().AsTask())).ConfigureAwait(false);
        try { Directory.Delete(_folder, recursive: true); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }

    private async Task AddAsync(int index, CancellationToken cancellation)
    {
        var data = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"node{index + 1}"));
        Directory.CreateDirectory(data);
        using (var pair = KeyPair.FromEntropy(LabPlan.Entropy(_seed, index))) KeyFile.Write(Path.Combine(data, "identity.key"), pair);
        var node = await new NodeBuilder(new NodeOptions
        {
            Data = data, Port = 0, Page = 0, Loopback = true, Lan = false, Workers = 1,
        }).StartAsync(cancellation).ConfigureAwait(false);
        var status = await node.Operations.StatusAsync(cancellation).ConfigureAwait(false);
        _members.Add(new Member(index, node, status.Identity, status.UdpEndpoint));
    }

    private async Task WorkAsync(IReadOnlyList<LabJob> jobs, CancellationToken over)
    {
        using var places = new SemaphoreSlim(WorkAtOnce);
        var running = new List<Task>();
        var next = 0;
        try
        {
            for (; next < jobs.Count; next++)
            {
                if (jobs[next].At - _clock.Elapsed is { Ticks: > 0 } wait) await Task.Delay(wait, over).ConfigureAwait(false);
                await places.WaitAsync(over).ConfigureAwait(false);
                running.RemoveAll(task => task.IsCompletedSuccessfully);
                running.Add(DoAsync(jobs[next], places, over));
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            Interlocked.Add(ref _givenUp, jobs.Count - next);
        }
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <summary>The one who was helped proposes; the helper is credited, so its node signs by itself.</summary>
    private async Task DoAsync(LabJob job, SemaphoreSlim places, CancellationToken over)
    {
        var (worker, helped) = (_members[job.Worker], _members[job.Helped]);
        var request = new RecordRequest(worker.Identity.PublicKey, Gave: false, job.Bytes, Amounts.Bytes, job.For, SignWait);
        try
        {
            while (true)
            {
                try
                {
                    var record = await helped.Node.Operations.RecordAsync(request, over).ConfigureAwait(false);
                    lock (_lock)
                    {
                        if (record.State == "agreed") _signed++;
                        _worked[(job.Worker, job.Helped)] = _worked.GetValueOrDefault((job.Worker, job.Helped)) + job.Bytes;
                    }
                    Note(record.State == "agreed" ? "agreed" : "work", record.State == "agreed"
                        ? $"{worker.Identity.Name} and {helped.Identity.Name} signed: {Amounts.Format(job.Bytes, Amounts.Bytes)} for {job.For}"
                        : $"{helped.Identity.Name} proposed to {worker.Identity.Name}: {Amounts.Format(job.Bytes, Amounts.Bytes)} for {job.For}");
                    return;
                }
                catch (OperationRefusedException refusal) when (refusal.Kind is RefusalKind.NotFound or RefusalKind.Unavailable)
                {
                    // They have not met yet.
                    await Task.Delay(RetryAfter, over).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _givenUp);
        }
        catch (OperationRefusedException refusal)
        {
            Interlocked.Increment(ref _givenUp);
            Note("work", $"{helped.Identity.Name} could not record: {refusal.Message}");
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>Now and then a node asks another for its chain: judging needs more than one's own records.</summary>
    private async Task CrawlAsync(CancellationToken over)
    {
        var random = Prng.Derive(_seed, "crawl");
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(4.0 / _members.Count), over).ConfigureAwait(false);
                var asker = _members[random.Next(_members.Count)];
                var asked = _members[random.Next(_members.Count)];
                if (asker == asked || !asker.Knows.Contains(asked.Index)) continue;
                try
                {
                    var crawl = await asker.Node.Operations.CrawlAsync(asked.Identity.PublicKey, over).ConfigureAwait(false);
                    if (crawl.Blocks > 0) Note("work", string.Create(CultureInfo.InvariantCulture, $"{asker.Identity.Name} read {crawl.Blocks} new blocks from {asked.Identity.Name}"));
                }
                catch (OperationRefusedException) { }
            }
        }
        catch (OperationCanceledException) { }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        var index = _members.ToDictionary(member => member.Identity.PublicKey, member => member.Index, StringComparer.Ordinal);
        var nodes = new List<LabNode>(_members.Count);
        foreach (var member in _members)
        {
            var peers = await member.Node.Operations.PeersAsync(cancellation).ConfigureAwait(false);
            var knows = peers.Where(peer => peer is { Verified: true, PublicKey: not null } && index.ContainsKey(peer.PublicKey)).Select(peer => index[peer.PublicKey!]).ToHashSet();
            foreach (var met in knows.Except(member.Knows).Order().Where(met => met > member.Index || !_members[met].Knows.Contains(member.Index)))
                Note("met", $"{member.Identity.Name} met {_members[met].Identity.Name}");
            member.Knows = knows;

            var status = await member.Node.Operations.StatusAsync(cancellation).ConfigureAwait(false);
            var chain = await member.Node.Operations.ChainAsync(null, Math.Max(1, status.BlocksOwn - LabNode.StonesMax + 1), LabNode.StonesMax, cancellation).ConfigureAwait(false);
            var ranking = await member.Node.Operations.TrustAsync(null, Amounts.Bytes, cancellation: cancellation).ConfigureAwait(false);
            var ranks = ranking.Where(row => row.PublicKey != member.Identity.PublicKey)
                .Select(row => new LabRank(index.GetValueOrDefault(row.PublicKey, -1), row.Name, row.Score, row.Records)).ToList();
            if (ranks is [{ Score: > 0 } best, ..] && best.Name != member.First) Note("rank", $"{member.Identity.Name} now ranks {member.First = best.Name} first");
            nodes.Add(new LabNode(member.Index, member.Identity.Name, member.Identity.PublicKey, member.Address, [.. knows.Order()],
                [.. chain.Blocks.Select(block => new LabStone(block.Sequence, block.Valid, block.Paired, block.Summary))], chain.Length, ranks));
        }
        Publish(nodes);
    }

    private void Publish(List<LabNode> nodes)
    {
        lock (_lock)
        {
            var edges = new List<LabEdge>();
            for (var a = 0; a < nodes.Count; a++)
            {
                for (var b = a + 1; b < nodes.Count; b++)
                {
                    var (ab, ba) = (nodes[a].Knows.Contains(b), nodes[b].Knows.Contains(a));
                    if (ab || ba)
                        edges.Add(new LabEdge(a, b, Introduced: b == a + 1 || (a == 0 && b == nodes.Count - 1), ab && ba, _worked.GetValueOrDefault((a, b)), _worked.GetValueOrDefault((b, a))));
                }
            }
            Volatile.Write(ref _current, new LabSnapshot(_seed, Math.Min(_clock.Elapsed.TotalSeconds, _length.TotalSeconds), _length.TotalSeconds, _finished, nodes, edges,
                [.. _events], _signed, edges.Count(edge => edge.Mutual), nodes.Count * (nodes.Count - 1) / 2));
            _version++;
            var changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.SetResult();
        }
    }

    private void Note(string kind, string text)
    {
        lock (_lock)
        {
            _events.Insert(0, new LabEvent(_clock.Elapsed.TotalSeconds, kind, text));
            if (_events.Count > LabSnapshot.EventsMax) _events.RemoveAt(_events.Count - 1);
        }
    }
}
