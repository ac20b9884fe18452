using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Aws.Tests;

/// <summary>Against a server that breaks off, stalls, or answers what can't be read.</summary>
public sealed class Connections_that_break
{
    private const string Topic = "arn:aws:sns:eu-central-1:123456789012:events";
    private const string Queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/billing";

    public static TheoryData<string> Breaks =>
        ["reset", "cut off", "half JSON, whole body", "empty", "null", "a list", "no Unicode", "no list"];

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task A_receive_whose_answer_breaks_is_tried_again_and_is_never_an_empty_list(string how)
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Break(how, Answers.Received, Answers.Json), Answers.Json(Answers.Received));
        using var sqs = server.Sqs();

        Assert.Equal("hello", Assert.Single(await sqs.ReceiveAsync(Queue)).Body);

        Assert.Equal(2, server.Requests.Count);
    }

    public static TheoryData<string> XmlBreaks =>
        ["reset", "cut off", "half XML, whole body", "empty", "another answer", "no id", "stall", "silence"];

    [Theory]
    [MemberData(nameof(XmlBreaks))]
    public async Task A_publish_whose_answer_breaks_is_tried_again(string how)
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Break(how, Answers.Published, Answers.Xml), Answers.Xml(Answers.Published));
        using var sns = server.Sns(timeout: PatienceWith(how));

        Assert.Equal("m-1", await sns.PublishAsync(Topic, new OutgoingMessage("hello")));

        Assert.Equal(2, server.Requests.Count);
        Assert.Equal(server.Requests[0].Body, server.Requests[1].Body);
    }

    [Theory]
    [InlineData("reset", AwsFailure.Unreachable)]
    [InlineData("cut off", AwsFailure.Unreachable)]
    [InlineData("stall", AwsFailure.Unreachable)]
    [InlineData("silence", AwsFailure.Unreachable)]
    [InlineData("half XML, whole body", AwsFailure.Unreadable)]
    public async Task A_server_that_always_breaks_off_is_told_in_time(string how, AwsFailure kind)
    {
        await using var server = await ScriptedEndpoint.StartAsync(Break(how, Answers.Published, Answers.Xml));
        using var sns = server.Sns(timeout: PatienceWith(how), maxAttempts: 2);
        var watch = Stopwatch.StartNew();

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(
            () => sns.PublishAsync(Topic, new OutgoingMessage("hello")));

        Assert.Equal((kind, true, 2), (failure.Kind, failure.IsTransient, server.Requests.Count));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60)); // the default alone is 100
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        Uri url;
        await using (var server = await ScriptedEndpoint.StartAsync(Answers.Reset))
            url = server.Url;
        using var sqs = Sqs.Connect(
            new AwsMessagingOptions { ServiceUrl = url, Credentials = new BasicAWSCredentials("a", "b"), MaxAttempts = 2 });

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.ReceiveAsync(Queue));

        Assert.Equal((AwsFailure.Unreachable, true, null), (failure.Kind, failure.IsTransient, failure.StatusCode));
    }

    [Fact]
    public async Task Connecting_has_a_deadline_of_its_own()
    {
        // A listener that accepts nobody: once its backlog is full, connecting hangs.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var waiting = new List<Socket>();
        try
        {
            // Begun at once and far more than fit, so that the backlog is full whenever the client comes.
            var connecting = new List<Task>();
            for (var i = 0; i < 20; i++)
            {
                waiting.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                connecting.Add(waiting[i].ConnectAsync(listener.LocalEndPoint!));
            }
            await Task.WhenAny(connecting);
            using var sqs = Sqs.Connect(new AwsMessagingOptions
            {
                ServiceUrl = new Uri($"http://{listener.LocalEndPoint}"),
                Credentials = new BasicAWSCredentials("a", "b"),
                ConnectTimeout = TimeSpan.FromMilliseconds(200),
                MaxAttempts = 1,
            });

            var failure = await Assert.ThrowsAsync<AwsMessagingException>(
                () => sqs.ReceiveAsync(Queue).WaitAsync(TimeSpan.FromSeconds(60)) /* the system's own deadline is two minutes */);

            Assert.Equal((AwsFailure.Unreachable, true), (failure.Kind, failure.IsTransient));
        }
        finally
        {
            waiting.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task A_long_poll_may_take_longer_than_other_calls()
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.Late(Answers.Json(Answers.Received), TimeSpan.FromSeconds(1)));
        using var sqs = server.Sqs(timeout: TimeSpan.FromMilliseconds(200), maxAttempts: 1);

        Assert.Single(await sqs.ReceiveAsync(Queue));

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.GetQueueUrlAsync("billing"));
        Assert.Equal(AwsFailure.Unreachable, failure.Kind);
    }

    [Theory]
    [InlineData("silence")]
    [InlineData("stall")]
    public async Task Cancelling_ends_a_call_at_once(string how)
    {
        await using var server = await ScriptedEndpoint.StartAsync(Break(how, Answers.Received, Answers.Json));
        using var sqs = server.Sqs(timeout: TimeSpan.FromMinutes(5));
        using var cancellation = new CancellationTokenSource();
        var receive = sqs.ReceiveAsync(Queue, cancellationToken: cancellation.Token);
        await Eventually.TrueAsync(() => Task.FromResult(server.Requests.Count >= 1));

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receive.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task Cancelling_ends_the_pause_between_two_tries()
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.SqsError(400, "Throttling"));
        using var sqs = server.Sqs(maxAttempts: 10);
        using var cancellation = new CancellationTokenSource();
        var receive = sqs.ReceiveAsync(Queue, cancellationToken: cancellation.Token);
        await Eventually.TrueAsync(() => Task.FromResult(server.Requests.Count >= 4));
        var watch = Stopwatch.StartNew();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receive);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30)); // the tries that are left would take longer
        Assert.InRange(server.Requests.Count, 4, 9);
    }

    // Only what never answers is waited for; a good answer may be slow to come on a busy machine.
    private static TimeSpan PatienceWith(string how) =>
        how is "stall" or "silence" ? TimeSpan.FromSeconds(2) : TimeSpan.FromSeconds(20);

    private static Func<HttpContext, Task> Break(
        string how, string whole, Func<string, int, (string, string)[], Func<HttpContext, Task>> answer) => how switch
        {
            "reset" => Answers.Reset,
            "cut off" => Answers.CutOff(whole, whole.Length / 2),
            "half JSON, whole body" or "half XML, whole body" => answer(whole[..(whole.Length / 2)], 200, []),
            "empty" => answer("", 200, []),
            "null" => answer("null", 200, []),
            "a list" => answer("[]", 200, []),
            "no Unicode" => answer(whole.Replace("hello", "\\ud800", StringComparison.Ordinal), 200, []),
            "no list" => answer("""{"Messages":{}}""", 200, []),
            "another answer" => answer(whole.Replace("PublishResponse", "SubscribeResponse", StringComparison.Ordinal), 200, []),
            "no id" => answer(whole.Replace("m-1", "", StringComparison.Ordinal), 200, []),
            "stall" => Answers.Stall(whole),
            _ => Answers.Silence,
        };
}
