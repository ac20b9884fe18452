using System.Diagnostics;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>What S3 and the way to it can do to an upload, a deletion, a read.</summary>
public sealed class S3_that_fails
{
    private const int Bytes = (11 << 20) + 7; // three parts

    public static TheoryData<string> Faults => ["500", "SlowDown", "cut", "stall", "lost answer"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_part_that_fails_twice_is_sent_again(string kind)
    {
        await using var lab = await S3Lab.NewAsync(
            with: options => options with { StallTimeout = TimeSpan.FromSeconds(kind == "stall" ? 2 : 20) });
        lab.Proxy.On(request => request.IsPart, Named(kind), times: 2);

        await lab.StoreAsync(lab.Key, StagingLab.Content(Bytes));

        Assert.Equal(StagingLab.Content(Bytes), await lab.ReadAsync(lab.Key, 0, Bytes));
        // What takes longer than the short patience of "stall" on a busy machine is sent once more.
        Assert.InRange(lab.Proxy.Count(request => request.IsPart), 5, kind == "stall" ? 10 : 5);
    }

    [Fact]
    public async Task A_part_that_is_altered_on_the_way_is_refused()
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(request => request.IsPart, new Fault.CorruptRequest(100_000), times: 1);

        var failure = await Assert.ThrowsAsync<StagingException>(() => lab.StoreAsync(lab.Key, StagingLab.Content(Bytes)));

        Assert.True(failure.IsTransient);
        Assert.Empty(await lab.ListAsync());
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Theory]
    [InlineData("500")]
    [InlineData("SlowDown")]
    [InlineData("200 with an error")]
    [InlineData("lost answer")]
    public async Task A_completion_that_fails_at_first_is_tried_again(string kind)
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(request => request.IsComplete, Named(kind), times: 1);

        await lab.StoreAsync(lab.Key, StagingLab.Content(Bytes));

        Assert.Equal(StagingLab.Content(Bytes), await lab.ReadAsync(lab.Key, 0, Bytes));
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task A_completion_whose_every_answer_is_lost_counts_when_the_object_is_there()
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(request => request.IsComplete, new Fault.AnswerInstead(Fault.S3Error(500, "InternalError")));

        await lab.StoreAsync(lab.Key, StagingLab.Content(Bytes));

        Assert.Equal(StagingLab.Content(Bytes), await lab.ReadAsync(lab.Key, 0, Bytes));
    }

    [Theory]
    [InlineData("500")]
    [InlineData("200 with an error")]
    public async Task A_completion_that_never_succeeds_is_an_error_and_leaves_nothing(string kind)
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(request => request.IsComplete, Named(kind));

        var failure = await Assert.ThrowsAsync<StagingException>(() => lab.StoreAsync(lab.Key, StagingLab.Content(1000)));

        Assert.True(failure.IsTransient);
        Assert.InRange(lab.Proxy.Count(request => request.IsComplete), 1, 10);
        Assert.Empty(await lab.ListAsync());
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task A_part_that_never_succeeds_ends_the_upload_after_bounded_tries()
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(
            request => request.IsPart && request.Query.Contains("partNumber=1", StringComparison.Ordinal),
            Fault.S3Error(500, "InternalError"));

        var failure = await Assert.ThrowsAsync<StagingException>(() => lab.StoreAsync(lab.Key, StagingLab.Content(Bytes)));

        Assert.True(failure.IsTransient);
        Assert.InRange(lab.Proxy.Count(request => request.IsPart), 2, 10);
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task A_writer_that_is_ahead_of_the_network_waits_and_holds_no_more_than_its_buffers()
    {
        await using var lab = await S3Lab.NewAsync(); // two parts of 5 MiB at a time
        lab.Proxy.On(request => request.IsPart, new Fault.Stall());
        await using var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default));
        var some = StagingLab.Content(1 << 20);
        for (var accepted = 0; accepted < 15; accepted++)
            // MiB: two on their way, one filled
            await writer.WriteAsync(some, default).AsTask().WaitAsync(TimeSpan.FromMinutes(1));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await writer.WriteAsync(some, patience.Token));
    }

    [Fact]
    public async Task Writers_of_a_process_share_their_buffers_and_send_as_many_parts_together_as_one_may()
    {
        await using var lab = await S3Lab.NewAsync(); // two parts of 5 MiB at a time
        var buffers = ((S3Staging)lab.Staging).Buffers;
        lab.Proxy.On(request => request.IsPart, new Fault.Stall());
        await using (var ahead = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default)))
        await using (var behind = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync($"{lab.Key}.2", StagedContent.Json("y.json"), default)))
        {
            await ahead.WriteAsync(StagingLab.Content(15 << 20), default); // two on their way, one filled
            await behind.WriteAsync(StagingLab.Content(5 << 20), default);
            using var stop = new CancellationTokenSource();

            var waiting = behind.WriteAsync(new byte[1], stop.Token).AsTask();

            Assert.False(waiting.IsCompleted);
            Assert.Equal(4, buffers.Made);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        lab.Proxy.Heal();
        for (var after = 0; after < 3; after++)
            await lab.StoreAsync(lab.Key, StagingLab.Content(31 << 20));

        // Those that were on their way may still be read from: they are not used again.
        Assert.InRange(buffers.Made, 4, 5);
        Assert.Equal(StagingLab.Content(31 << 20), await lab.ReadAsync(lab.Key, 0, 31 << 20));
    }

    [Fact]
    public async Task An_abort_is_repeated_until_the_upload_is_gone()
    {
        await using var lab = await S3Lab.NewAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        lab.Proxy.On(request => request.IsAbort, new Fault.Answer(204), times: 2); // said, not done

        await lab.Staging.AbortAsync(upload, default);

        Assert.Equal(3, lab.Proxy.Count(request => request.IsAbort));
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task Refused_deletes_are_errors_that_name_the_refusal()
    {
        await using var lab = await S3Lab.NewAsync();
        await lab.StoreAsync(lab.Key, [1]);
        var objects = await lab.ListAsync();
        lab.Proxy.On(request => request.IsDeletion, Fault.S3Error(403, "AccessDenied"), times: 1);
        lab.Proxy.On(
            request => request.IsDeletion,
            new Fault.Answer(200, "<DeleteResult><Error><Key>"
                + $"{lab.Key}</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"),
            times: 1);

        for (var i = 0; i < 2; i++)
        {
            var refusal = await Assert.ThrowsAsync<StagingException>(() => lab.Staging.DeleteAsync(objects, default));
            Assert.True(refusal.IsTransient);
            Assert.Contains("AccessDenied", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Single(await lab.ListAsync());
        await lab.Staging.DeleteAsync(objects, default);
        Assert.Empty(await lab.ListAsync());
    }

    [Fact]
    public async Task A_read_that_breaks_off_or_stalls_is_a_transient_failure()
    {
        await using var lab = await S3Lab.NewAsync(with: options => options with { StallTimeout = TimeSpan.FromSeconds(4) });
        await lab.StoreAsync(lab.Key, StagingLab.Content(1 << 20));
        lab.Proxy.On(request => request.Method == "GET", new Fault.CutResponse(100_000), times: 1);
        lab.Proxy.On(request => request.Method == "GET", new Fault.StallResponse(100_000), times: 1);

        for (var i = 0; i < 2; i++)
        {
            var watch = Stopwatch.StartNew();
            var failure = await Assert.ThrowsAsync<StagingException>(() => lab.ReadAsync(lab.Key, 0, 1 << 20));
            Assert.True(failure.IsTransient);
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(90));
        }
        Assert.Equal(1 << 20, (await lab.ReadAsync(lab.Key, 0, 1 << 20)).Length);
    }

    [Fact]
    public async Task No_text_of_a_failure_holds_a_signature()
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(_ => true, Fault.S3Error(403, "AccessDenied"));

        var failure = await Assert.ThrowsAsync<StagingException>(lab.ListAsync);

        Assert.DoesNotContain("X-Amz", failure.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("ignature", failure.ToString(), StringComparison.Ordinal);
    }

    private static Fault Named(string kind) => kind switch
    {
        "500" => Fault.S3Error(500, "InternalError"),
        "SlowDown" => Fault.S3Error(503, "SlowDown"),
        "200 with an error" => Fault.S3Error(200, "InternalError"),
        "cut" => new Fault.CutRequest(100_000),
        "stall" => new Fault.Stall(),
        _ => new Fault.AnswerInstead(Fault.S3Error(500, "InternalError")),
    };
}
