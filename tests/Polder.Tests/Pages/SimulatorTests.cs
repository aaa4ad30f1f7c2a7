using System.Net;
using Polder.Host.Pages.Simulator;
using Polder.Simulation.Attacks;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Pages;

/// <summary>The page of the simulator, as a browser without script sees it.</summary>
public sealed class SimulatorTests : PlainBrowser
{
    [Fact]
    public async Task Every_study_and_scenario_has_a_form()
    {
        foreach (var choice in SimulatorChoice.All)
        {
            var page = WebUtility.HtmlDecode(await GetAsync("/simulation?study=" + choice.Key));
            Assert.Contains($"name=\"study\" value=\"{choice.Key}\"", page, StringComparison.Ordinal);
            Assert.Contains(choice.About, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_attack_is_played_and_shown_with_bound_plot_seed_and_command()
    {
        using var answer = await PostAsync("/simulation", ("study", "sybil"), ("variant", "cycle"), ("peers", "30"), ("max", "10"), ("stop", "0.5"), ("seed", "7"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);

        var page = await UntilAsync("repeat that is shown", text => text.Contains("polder sim attack sybil", StringComparison.Ordinal));
        Assert.Contains("polder sim attack sybil --variant cycle --seed 7 --peers 30 --max 10 --stop 0.5", page, StringComparison.Ordinal);
        Assert.Contains("class=\"plot-bound\"", page, StringComparison.Ordinal);
        Assert.Contains("does not", page, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scenario_that_was_typed_in_is_played_and_plotted()
    {
        using var answer = await PostAsync("/simulation", ("study", "text"), ("seed", "3"), ("text", "duration 40s\nnodes 4 public\ncheck caps\n"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var page = await UntilAsync("the result", text => text.Contains("It holds", StringComparison.Ordinal));
        Assert.Contains("Who knows whom", page, StringComparison.Ordinal);
        Assert.Contains("plot-picture", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("study=sybil&peers=many", "This is not a whole number.")]
    [InlineData("study=sybil&peers=100000", "At most 300 on a page")]
    [InlineData("study=sybil&stop=2", "0.01 to 0.95")]
    [InlineData("study=sybil&variant=star", "A variant is one of")]
    [InlineData("study=sybil&seed=-1", "A seed is a whole number.")]
    [InlineData("study=scenario-walk&nodes=100000", "2 to 200 on a page")]
    [InlineData("study=text&text=nodes many", "Line 1:")]
    [InlineData("study=text&text=", "No nodes")]
    [InlineData("study=text&text=duration 24h\nnodes 150", "nodes × minutes")]
    [InlineData("study=text&text=duration 1m\nnodes 5000", "a page plays at most 200")]
    public async Task Wrong_input_comes_back_with_words(string fields, string words)
    {
        using var answer = await PostAsync("/simulation", [.. fields.Split('&').Select(field => field.Split('=', 2)).Select(field => (field[0], field[1]))]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(words, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"study": "sybil", "peers": 30, "max": 5, "stop": 0.5, "seed": 7}""", "polder sim attack sybil --seed 7 --peers 30 --max 5 --stop 0.5")]
    [InlineData("""{"study": "scenario-hello", "seed": 7}""", "polder sim hello --seed 7")]
    [InlineData("""{"study": "sybil", "peers": 1}""", null)]
    [InlineData("""{"study": "nothing"}""", null)]
    public async Task Scripts_start_it_over_the_API(string body, string? repeat)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/simulation") { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Add("Authorization", "Bearer token");
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(repeat is null ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains(repeat is null ? "error" : $"\"repeat\":\"{repeat}\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_is_played_at_a_time_and_can_be_stopped()
    {
        using var jobs = new SimulationJobs();
        Assert.True(jobs.TryStart(ScenarioFile.TryRead("long.txt", "duration 10h\nnodes 100", out _)!, 1, null));
        Assert.False(jobs.TryStart("attack", Studies.Attacks[0], new StudySettings(1)));
        Assert.True(jobs.Current!.IsRunning);
        jobs.Stop();
        Assert.True(await jobs.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal((false, "Stopped."), (jobs.Current!.IsRunning, jobs.Current.Problem));
        Assert.True(jobs.TryStart("attack", Studies.Attacks[0], new StudySettings(1)));
        await jobs.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task What_breaks_in_a_scenario_is_told_and_not_hidden()
    {
        using var jobs = new SimulationJobs();
        Assert.True(jobs.TryStart(ScenarioFile.TryRead("cut.txt", "duration 30s\nnodes 4\nlink loss=100%\ncheck know 3 100ms", out _)!, 1, null));
        Assert.True(await jobs.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("everybody knows 3 others", jobs.Current!.Problem, StringComparison.Ordinal);
    }

    private async Task<string> UntilAsync(string what, Func<string, bool> shown)
    {
        for (var tries = 0; ; tries++)
        {
            var page = WebUtility.HtmlDecode(await GetAsync("/simulation?study=sybil"));
            if (shown(page)) return page;
            Assert.True(tries < 200, $"{what} does not come");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
