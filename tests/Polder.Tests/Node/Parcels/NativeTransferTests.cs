using System.Security.Cryptography;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Node.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;

namespace Polder.Tests.Node.Parcels;

public sealed class NativeTransferTests : IDisposable
{
    private static readonly MeetingOptions Loopback = new() { Loopback = true };
    private readonly string _root = Directory.CreateTempSubdirectory("polder-parcels").FullName;
    private readonly CancellationTokenSource _time = new(TimeSpan.FromSeconds(30));

    public void Dispose()
    {
        _time.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private string Out => Path.Combine(_root, "out");
    private ParcelFolder Alice => new(Path.Combine(_root, "alice"));
    private ParcelFolder Bob => new(Path.Combine(_root, "bob"));

    private string Make(string name, int bytes)
    {
        var path = Path.Combine(_root, "source", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(bytes));
        return path;
    }

    private static Task<OfferAnswer> Yes(NativeOffer offer, CancellationToken cancel) => Task.FromResult(new OfferAnswer(true));

    private async Task<IReadOnlyList<string>> SendAsync(string[] paths)
    {
        var send = NativeSend.Start(Alice, paths, null, Loopback);
        var sending = send.RunAsync(_time.Token);
        var received = await new NativeReceive(Bob, send.Code, Out, Loopback, Yes).RunAsync(_time.Token);
        await sending;
        return received;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(5_000_000)]
    public async Task A_file_arrives_over_the_lan_with_no_server(int bytes)
    {
        var file = Make("a.bin", bytes);
        var received = await SendAsync([file]);
        Assert.Equal([Path.Combine(Out, "a.bin")], received);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(received[0]));
        Assert.Equal(File.GetLastWriteTimeUtc(file), File.GetLastWriteTimeUtc(received[0]), TimeSpan.FromSeconds(1));
        Assert.Empty(Alice.Outgoing());
        Assert.Empty(Bob.Incoming());
        Assert.Single(Directory.GetFileSystemEntries(Out));
    }

    [Fact]
    public async Task Several_files_and_folders_arrive_and_nothing_is_overwritten()
    {
        var one = Make("one.txt", 10);
        Make("folder/a", 100_000);
        Make("folder/deep/er/b", 3);
        Directory.CreateDirectory(Path.Combine(Out, "folder"));
        File.WriteAllText(Path.Combine(Out, "one.txt"), "mine");
        var received = await SendAsync([one, Path.Combine(_root, "source", "folder")]);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Out, "one.txt")));
        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(Path.Combine(Out, "one (2).txt")));
        Assert.True(File.Exists(Path.Combine(Out, "folder (2)", "deep", "er", "b")));
        Assert.Equal(3, received.Count);
    }

    [Fact]
    public async Task Seven_hundred_files_arrive_by_a_list_of_their_own()
    {
        for (var number = 0; number < 700; number++) Make($"many/{number}", number);
        await SendAsync([Path.Combine(_root, "source", "many")]);
        Assert.Equal(700, Directory.GetFiles(Path.Combine(Out, "many")).Length);
        Assert.Equal(699, new FileInfo(Path.Combine(Out, "many", "699")).Length);
    }

    [Fact]
    public async Task A_wrong_code_is_spent_on_both_sides_and_nothing_is_written()
    {
        Assert.True(WormholeCode.TryParse("4711-amulet-banjo-absurd", out var wrong, out _));
        Assert.True(WormholeCode.TryParse("4711-amulet-banjo-acme", out var right, out _));
        await using var send = NativeSend.Start(Alice, [Make("a", 9)], right, Loopback);
        var sending = send.RunAsync(_time.Token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_time.Token);
        var receiving = new NativeReceive(Bob, wrong, Out, Loopback, Yes).RunAsync(stop.Token);
        Assert.Equal(ParcelProblem.WrongCode, (await Assert.ThrowsAsync<ParcelException>(() => sending)).Kind);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => receiving);
        Assert.Equal(1, Bob.CodeOf(wrong.Text).Guesses);
        // The sender does not take the code again, after a restart neither.
        Assert.Equal(ParcelProblem.WrongCode, Assert.Throws<ParcelException>(() => NativeSend.Start(Alice, [Make("a", 9)], right, Loopback)).Kind);
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public async Task A_false_sender_gets_one_guess_at_a_code_of_two_words()
    {
        Assert.True(WormholeCode.TryParse("4712-amulet-banjo", out var typed, out _));
        Assert.True(WormholeCode.TryParse("4712-guess-work", out var guess, out _));
        await using var liar = NativeSend.Start(Alice, [Make("a", 9)], guess, Loopback);
        _ = liar.RunAsync(_time.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        var problem = await Assert.ThrowsAsync<ParcelException>(() => new NativeReceive(Bob, typed, Out, Loopback, Yes).RunAsync(_time.Token));
        Assert.Equal(ParcelProblem.WrongCode, problem.Kind);
        // Typed again, it is not tried again.
        problem = await Assert.ThrowsAsync<ParcelException>(() => new NativeReceive(Bob, typed, Out, Loopback, Yes).RunAsync(_time.Token));
        Assert.Equal(ParcelProblem.WrongCode, problem.Kind);
        Assert.Equal(1, Bob.CodeOf(typed.Text).Guesses);
    }

    [Fact]
    public async Task A_code_that_proved_right_gives_its_guess_back()
    {
        Assert.True(WormholeCode.TryParse("4713-amulet-banjo", out var code, out _));
        for (var round = 0; round < 2; round++)
        {
            await using var send = NativeSend.Start(Alice, [Make("a", 9)], code, Loopback);
            var sending = send.RunAsync(_time.Token);
            await new NativeReceive(Bob, code, Out, Loopback, Yes).RunAsync(_time.Token);
            await sending;
            Assert.Equal(0, Bob.CodeOf(code.Text).Guesses);
        }
        Assert.Equal(2, Directory.GetFiles(Out).Length);
    }

    [Fact]
    public async Task A_text_arrives_with_no_server_and_leaves_no_trace()
    {
        Assert.True(WormholeCode.TryParse("4714-amulet-banjo-acme", out var code, out _));
        await using var send = NativeSend.StartText(Alice, "Grüße ☂", code, Loopback);
        var sending = send.RunAsync(_time.Token);
        string? shown = null;
        var received = await new NativeReceive(Bob, code, Out, Loopback, Yes) { TakesText = text => shown = text }.RunAsync(_time.Token);
        await sending;
        Assert.Empty(received);
        Assert.Equal("Grüße ☂", shown);
        Assert.Empty(Alice.Outgoing());
        Assert.Empty(Directory.GetDirectories(Alice.OutFolder));
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public async Task While_a_confirmation_may_be_somebodys_guess_no_run_begins_here()
    {
        Assert.True(WormholeCode.TryParse("4715-amulet-banjo", out var code, out _));
        await using var send = NativeSend.Start(Alice, [Make("a", 9)], code, Loopback);
        send.TakesRuns = static () => false;
        var sending = send.RunAsync(_time.Token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_time.Token);
        var receiving = new NativeReceive(Bob, code, Out, Loopback, Yes).RunAsync(stop.Token);
        await Task.Delay(300, _time.Token);
        Assert.Equal(0, Bob.CodeOf(code.Text).Guesses);
        Assert.False(receiving.IsCompleted || sending.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
    }

    [Fact]
    public async Task A_no_ends_both_sides_and_writes_nothing()
    {
        await using var send = NativeSend.Start(Alice, [Make("a", 9)], null, Loopback);
        var sending = send.RunAsync(_time.Token);
        var problem = await Assert.ThrowsAsync<ParcelException>(() =>
            new NativeReceive(Bob, send.Code, Out, Loopback, (_, _) => Task.FromResult(new OfferAnswer(false))).RunAsync(_time.Token));
        Assert.Equal(ParcelProblem.Refused, problem.Kind);
        Assert.Equal(ParcelProblem.Refused, (await Assert.ThrowsAsync<ParcelException>(() => sending)).Kind);
        Assert.False(Directory.Exists(Out));
        Assert.Empty(Bob.Incoming());
    }

    [Fact]
    public async Task What_was_cut_goes_on_where_it_was_even_when_both_sides_start_anew()
    {
        var file = Make("large.bin", 40_000_000);
        WormholeCode code;
        using (var cut = CancellationTokenSource.CreateLinkedTokenSource(_time.Token))
        {
            await using var send = NativeSend.Start(Alice, [file], null, Loopback);
            code = send.Code;
            var sending = send.RunAsync(cut.Token);
            var receive = new NativeReceive(Bob, code, Out, Loopback, Yes);
            var receiving = receive.RunAsync(cut.Token);
            while (receive.Watch.DoneBytes < 20_000_000 && !receiving.IsCompleted) await Task.Delay(1, _time.Token);
            await cut.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => receiving);
            await Assert.ThrowsAnyAsync<Exception>(() => sending);
        }
        Assert.Single(Alice.Outgoing());
        Assert.Single(Bob.Incoming());
        Assert.False(File.Exists(Path.Combine(Out, "large.bin")));
        await using var again = NativeSend.Start(Alice, [file], null, Loopback);
        Assert.True(again.IsResumed);
        Assert.Equal(code.Text, again.Code.Text);
        var second = again.RunAsync(_time.Token);
        var rest = new NativeReceive(Bob, code, Out, Loopback, (_, _) => throw new InvalidOperationException("It was agreed to already."));
        var received = await rest.RunAsync(_time.Token);
        await second;
        Assert.True(rest.Watch.SkippedBytes >= 19_000_000, $"{rest.Watch.SkippedBytes} bytes were kept");
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(received[0]));
        Assert.Single(Directory.GetFileSystemEntries(Out));
    }
}
