"""A random walk over what a phone, the service, the network and a person can do to a session, and what it must say then.

    steps     what can be done, as words: `scan; unavailable; reload; online`
    scene     what all of that has led to, computed from the steps alone: what the phone lists, what the page has met
    rules     each step: when it is possible, and what it does to the scene
    expected  what the session has to say of a scene, by when, and what it may say on the way
    walk      which step comes next, by chance
    model     rules and expected together: from one scene and a step to the next scene and what is expected of it

The modules above are the model. They are written from what is known of WhatsApp Web and from the documentation, import
nothing of the project (`unit/walk/test_model.py` checks it), and see nothing of the page.

    player    plays a step on a real runner with a real browser on the stand-in page; `controls` has what each one does
    witness   what the runner has said since when, and whether that was expected
    journey   a whole walk: play, judge, and of a walk that fails the shortest one that still does
    faults    planted faults that a walk has to find; `planted` starts a runner with one
    examples  walks that have found a fault; they go first
"""
